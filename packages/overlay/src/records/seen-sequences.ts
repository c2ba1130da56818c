import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Clock, WeftError, messageOf } from '@weft/core'
import type { RecordKey } from './record-store.ts'

/** Keys that are remembered; the ones that were not used for longest go first. About 100 bytes each. */
const MAX_KEYS = 50_000
/** Every so many new keys the table is trimmed. */
const TRIM_EVERY = 1_000

/**
 * The highest sequence that this node has read or written for each mutable record: what is older is never shown to it
 * again, even if every holder forgot. Written without waiting for the disk: losing the last entries in a power cut only
 * loses that protection for them, while a restart of the process keeps them all.
 */
export class SeenSequences implements Disposable {
  readonly #db: DatabaseSync
  readonly #clock: Clock
  #added = 0

  /** @throws WeftError E_DATABASE */
  constructor(directory: string, clock: Clock) {
    this.#clock = clock
    const path = join(directory, 'records-seen.sqlite')
    try {
      this.#db = new DatabaseSync(path)
      this.#db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
        CREATE TABLE IF NOT EXISTS seen (key BLOB PRIMARY KEY, sequence INTEGER NOT NULL, used_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS seen_by_use ON seen (used_at);`)
    } catch (error) {
      throw new WeftError({
        code: 'E_DATABASE',
        cause: `The table of seen records ${path} cannot be used: ${messageOf(error)}.`,
        fix: 'Make its directory writable for the daemon; if the file is damaged, stop the node and remove it.',
        origin: error,
      })
    }
  }

  /** The highest sequence seen; undefined for a key that was never seen. */
  highest(key: RecordKey): number | undefined {
    const row = this.#db.prepare('SELECT sequence FROM seen WHERE key = ?').get(key)
    return row === undefined ? undefined : (row['sequence'] as number)
  }

  /** Remembers a sequence; a lower one than the highest changes nothing. */
  note(key: RecordKey, sequence: number): void {
    const before = this.highest(key)
    if (before !== undefined && before >= sequence) return
    this.#db
      .prepare(
        `INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET sequence = excluded.sequence, used_at = excluded.used_at`,
      )
      .run(key, sequence, this.#clock.now())
    if (before === undefined && ++this.#added % TRIM_EVERY === 0) this.#trim()
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }

  #trim(): void {
    this.#db
      .prepare(
        'DELETE FROM seen WHERE key IN (SELECT key FROM seen ORDER BY used_at LIMIT max(0, (SELECT count(*) FROM seen) - ?))',
      )
      .run(MAX_KEYS)
  }
}
