import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Logger, ensureDirectory, messageOf } from '@weft/core'
import type { DidKey } from '@weft/crypto'

/** A shard that a validator left with a holder, to ask for it at a later admission. */
export interface LeftShard {
  /** Of the object's own key, 32 bytes: names the shard, and releases it. */
  readonly seed: Uint8Array
  readonly length: number
  /** SHA-256 of its bytes. */
  readonly digest: Uint8Array
  /** ms since the Unix epoch. */
  readonly leftAt: number
  readonly expiresAt: number
}

const FILE = 'left-shards.db'
const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS left_shards (
    node TEXT PRIMARY KEY,
    seed BLOB NOT NULL,
    length INTEGER NOT NULL,
    digest BLOB NOT NULL,
    leftAt INTEGER NOT NULL,
    expiresAt INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`

/**
 * What this validator left with whom, one shard for each holder, in a file that is made when the first is asked for. Synced
 * with each change: a line that came back with the power would ask for a shard that was released since.
 *
 * A disk that fails is this validator's, and no holder is refused for it: that is logged, and nothing is left with anybody.
 */
export class LeftShards implements Disposable {
  readonly #directory: string
  readonly #logger: Logger
  #database: DatabaseSync | undefined

  constructor(directory: string, logger: Logger) {
    this.#directory = directory
    this.#logger = logger
  }

  /** @param now ms since the Unix epoch; what has expired by then is not asked for */
  get(node: DidKey, now: number): LeftShard | undefined {
    const columns = 'seed, length, digest, leftAt, expiresAt'
    const query = `SELECT ${columns} FROM left_shards WHERE node = ? AND expiresAt > ?`
    return this.#use((database) => database.prepare(query).get(node, now) as LeftShard | undefined)
  }

  /** Whether it is written down. */
  set(node: DidKey, { seed, length, digest, leftAt, expiresAt }: LeftShard): boolean {
    const insert =
      'INSERT OR REPLACE INTO left_shards (node, seed, length, digest, leftAt, expiresAt) VALUES (?, ?, ?, ?, ?, ?)'
    const done = this.#use((database) => {
      database.prepare('DELETE FROM left_shards WHERE expiresAt <= ?').run(leftAt)
      return database.prepare(insert).run(node, seed, length, digest, leftAt, expiresAt)
    })
    return done !== undefined
  }

  /** Whether it is forgotten. */
  delete(node: DidKey): boolean {
    const remove = 'DELETE FROM left_shards WHERE node = ?'
    return this.#use((database) => database.prepare(remove).run(node)) !== undefined
  }

  [Symbol.dispose](): void {
    this.#database?.close()
    this.#database = undefined
  }

  #use<T>(work: (database: DatabaseSync) => T): T | undefined {
    try {
      return work(this.#open())
    } catch (error) {
      this.#logger.warn('what was left with holders cannot be used', { error: messageOf(error) })
      return undefined
    }
  }

  #open(): DatabaseSync {
    if (this.#database !== undefined) return this.#database
    ensureDirectory(this.#directory)
    const database = new DatabaseSync(join(this.#directory, FILE))
    try {
      database.exec(SCHEMA)
    } catch (error) {
      database.close()
      throw error
    }
    return (this.#database = database)
  }
}
