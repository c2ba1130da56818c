import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Clock, type Logger, WeftError, fromHex, isDiskFull, messageOf, toHex } from '@weft/core'
import { StatementCache } from '../state/statement-cache.ts'
import type { RecordKey } from './record-store.ts'
import type { SequenceMemory } from './sequence-memory.ts'

/** Keys that are remembered; the ones that were not used for longest go first. About 100 bytes each. */
const MAX_KEYS = 50_000
/** Every so many new keys the table is trimmed. */
const TRIM_EVERY = 1_000
/** Keys that are remembered in memory alone while the disk takes nothing; the first ones go first. */
const MAX_UNWRITTEN = 10_000

/**
 * Seen sequences in a file of SQLite. Written without waiting for the disk: losing the last entries in a power cut only
 * loses that protection for them, while a restart of the process keeps them all. A disk that is full must not keep a
 * person from reading: what cannot be written is remembered in memory and written when there is room again.
 */
export class SeenSequences implements SequenceMemory, Disposable {
  readonly #db: DatabaseSync
  readonly #statements: StatementCache
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #unwritten = new Map<string, number>()
  #added = 0

  /** @throws WeftError E_DATABASE, E_DISK_FULL */
  constructor(directory: string, clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
    const path = join(directory, 'records-seen.sqlite')
    try {
      this.#db = new DatabaseSync(path)
      this.#db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
        CREATE TABLE IF NOT EXISTS seen (key BLOB PRIMARY KEY, sequence INTEGER NOT NULL, used_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS seen_by_use ON seen (used_at);`)
      this.#statements = new StatementCache(this.#db)
    } catch (error) {
      if (isDiskFull(error)) {
        throw new WeftError({
          code: 'E_DISK_FULL',
          cause: `The disk that holds ${path} is full.`,
          fix: 'Free space on it, or move the state directory to a larger disk (WEFT_HOME or --home).',
          retryable: true,
          origin: error,
        })
      }
      throw new WeftError({
        code: 'E_DATABASE',
        cause: `The table of seen records ${path} cannot be used: ${messageOf(error)}.`,
        fix: 'Make its directory writable for the daemon; if the file is damaged, stop the node and remove it.',
        origin: error,
      })
    }
  }

  highest(key: RecordKey): number | undefined {
    return this.#unwritten.get(toHex(key)) ?? this.#written(key)
  }

  note(key: RecordKey, sequence: number): void {
    const before = this.highest(key)
    if (before !== undefined && before >= sequence) return
    try {
      for (const [hex, waiting] of this.#unwritten) {
        this.#write(fromHex(hex), waiting)
        this.#unwritten.delete(hex)
      }
      this.#write(key, sequence)
      if (before === undefined && ++this.#added % TRIM_EVERY === 0) this.#trim()
    } catch (error) {
      this.#keepInMemory(key, sequence, error)
    }
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }

  #written(key: RecordKey): number | undefined {
    const row = this.#statements.prepare('SELECT sequence FROM seen WHERE key = ?').get(key)
    return row === undefined ? undefined : (row['sequence'] as number)
  }

  #write(key: RecordKey, sequence: number): void {
    this.#statements
      .prepare(
        `INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET sequence = excluded.sequence, used_at = excluded.used_at`,
      )
      .run(key, sequence, this.#clock.now())
  }

  #keepInMemory(key: RecordKey, sequence: number, error: unknown): void {
    if (this.#unwritten.size === 0) {
      this.#logger.warn('sequences of records are remembered in memory alone', { error: messageOf(error) })
    }
    this.#unwritten.set(toHex(key), sequence)
    const [first] = this.#unwritten.keys()
    if (this.#unwritten.size > MAX_UNWRITTEN && first !== undefined) this.#unwritten.delete(first)
  }

  #trim(): void {
    this.#statements
      .prepare(
        'DELETE FROM seen WHERE key IN (SELECT key FROM seen ORDER BY used_at LIMIT max(0, (SELECT count(*) FROM seen) - ?))',
      )
      .run(MAX_KEYS)
  }
}
