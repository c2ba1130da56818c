import type { DatabaseSync } from 'node:sqlite'
import type { DidKey } from '@weft/crypto'
import type { SealedRows } from './sealed-rows.ts'

/** A statement as it is kept; the object is that of the removal. */
export interface KeptStatement {
  readonly node: DidKey
  readonly shards: number
  readonly bytes: number
  readonly at: number
  readonly until: number
  /** base64url. */
  readonly signature: string
}

/** A removal as it is written down. Times are ms since the epoch. */
export interface RemovalRecord {
  readonly object: string
  readonly removedAt: number
  /** When the last shard of the object would have expired. */
  readonly expiresAt: number
  readonly name: string
  readonly size: number
  readonly private: boolean
  /** Of the object's own key, base64url, as long as there is something to sign: the removal is open. */
  readonly seed: string | undefined
  /** Who has shards; undefined until that was read from the object's records. */
  readonly holders: readonly DidKey[] | undefined
  readonly withdrawn: boolean
  readonly statements: readonly KeptStatement[]
}

type Sealed = Omit<RemovalRecord, 'object' | 'removedAt' | 'expiresAt'>

interface Row {
  readonly object: string
  readonly removed_at: number
  readonly expires_at: number
  readonly sealed: Uint8Array
}

export const REMOVALS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS removals (
    object TEXT PRIMARY KEY,
    removed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    open INTEGER NOT NULL,
    erased INTEGER NOT NULL DEFAULT 0,
    sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
`

/** ms that what is known of a removal is kept after it: its statements are receipts. */
const KEPT_FOR = 400 * 24 * 3_600_000
const COLUMNS = 'object, removed_at, expires_at, sealed'

/** The removals of the local list, with the statements of the holders: what is left of an object that was removed. */
export class RemovalTable {
  readonly #database: DatabaseSync
  readonly #rows: SealedRows

  constructor(database: DatabaseSync, rows: SealedRows) {
    this.#database = database
    this.#rows = rows
  }

  /** Durable when it returns, unless within a transaction. */
  write(record: RemovalRecord): void {
    const { object, removedAt, expiresAt, ...sealed } = record
    const isOpen = record.seed !== undefined ? 1 : 0
    this.#database
      .prepare(
        `INSERT INTO removals (object, removed_at, expires_at, open, sealed) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (object) DO UPDATE SET open = excluded.open, sealed = excluded.sealed`,
      )
      .run(object, removedAt, expiresAt, isOpen, this.#rows.seal(rowOf(object), sealed))
  }

  get(object: string): RemovalRecord | undefined {
    const row = this.#database.prepare(`SELECT ${COLUMNS} FROM removals WHERE object = ?`).get(object)
    return row === undefined ? undefined : this.#open(row as unknown as Row)
  }

  /** When the object was removed. */
  removedAt(object: string): number | undefined {
    const row = this.#database.prepare('SELECT removed_at FROM removals WHERE object = ?').get(object)
    return row?.['removed_at'] as number | undefined
  }

  /** Those that are not over. */
  open(): RemovalRecord[] {
    const rows = this.#database.prepare(`SELECT ${COLUMNS} FROM removals WHERE open = 1`).all()
    return rows.map((row) => this.#open(row as unknown as Row))
  }

  /** The newest first. */
  list(limit: number): RemovalRecord[] {
    const order = 'ORDER BY removed_at DESC, object LIMIT ?'
    const rows = this.#database.prepare(`SELECT ${COLUMNS} FROM removals ${order}`).all(limit)
    return rows.map((row) => this.#open(row as unknown as Row))
  }

  /** Whether the file may hold something of the former row of a removed object still. */
  get hasUnerased(): boolean {
    return this.#database.prepare('SELECT 1 FROM removals WHERE erased = 0 LIMIT 1').get() !== undefined
  }

  /** @param object undefined: all */
  markErased(object: string | undefined): void {
    if (object === undefined) this.#database.exec('UPDATE removals SET erased = 1')
    else this.#database.prepare('UPDATE removals SET erased = 1 WHERE object = ?').run(object)
  }

  /** Forgets old ones that are over. */
  sweep(now: number): void {
    this.#database.prepare('DELETE FROM removals WHERE open = 0 AND removed_at <= ?').run(now - KEPT_FOR)
  }

  #open({ object, removed_at: removedAt, expires_at: expiresAt, sealed }: Row): RemovalRecord {
    return { object, removedAt, expiresAt, ...(this.#rows.open(rowOf(object), sealed) as Sealed) }
  }
}

function rowOf(object: string): string {
  return `removal:${object}`
}
