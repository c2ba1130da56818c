import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ensureDirectory } from '@weft/core'
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
  PRAGMA synchronous = NORMAL;
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
 * What this validator left with whom, one shard for each holder, in a file that is made when the first is left. Not synced: a
 * lost line means that one holder is not asked once.
 */
export class LeftShards implements Disposable {
  readonly #directory: string
  #database: DatabaseSync | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  /** @param now ms since the Unix epoch; what has expired by then is not asked for */
  get(node: DidKey, now: number): LeftShard | undefined {
    const columns = 'seed, length, digest, leftAt, expiresAt'
    const query = `SELECT ${columns} FROM left_shards WHERE node = ? AND expiresAt > ?`
    return this.#open().prepare(query).get(node, now) as LeftShard | undefined
  }

  set(node: DidKey, { seed, length, digest, leftAt, expiresAt }: LeftShard): void {
    const database = this.#open()
    database.prepare('DELETE FROM left_shards WHERE expiresAt <= ?').run(leftAt)
    const insert =
      'INSERT OR REPLACE INTO left_shards (node, seed, length, digest, leftAt, expiresAt) VALUES (?, ?, ?, ?, ?, ?)'
    database.prepare(insert).run(node, seed, length, digest, leftAt, expiresAt)
  }

  delete(node: DidKey): void {
    this.#open().prepare('DELETE FROM left_shards WHERE node = ?').run(node)
  }

  [Symbol.dispose](): void {
    this.#database?.close()
    this.#database = undefined
  }

  #open(): DatabaseSync {
    if (this.#database !== undefined) return this.#database
    ensureDirectory(this.#directory)
    const database = new DatabaseSync(join(this.#directory, FILE))
    database.exec(SCHEMA)
    return (this.#database = database)
  }
}
