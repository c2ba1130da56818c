import type { DatabaseSync } from 'node:sqlite'
import type { DidKey } from '@weft/crypto'
import type { SealedRows } from './sealed-rows.ts'

/** Who was brought a shard in the place of its holder, and may have kept it. */
export interface StandIn {
  readonly segment: number
  readonly index: number
  readonly node: DidKey
}

export const STAND_INS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS stand_ins (
    object TEXT NOT NULL,
    segment INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (object, segment)
  ) STRICT, WITHOUT ROWID;
`

/** The stand-ins of the local list, a row for each segment: whom a renewal and a removal have to tell beside the holders. */
export class StandInTable {
  readonly #database: DatabaseSync
  readonly #rows: SealedRows

  constructor(database: DatabaseSync, rows: SealedRows) {
    this.#database = database
    this.#rows = rows
  }

  /** Durable when it returns. */
  add(object: string, { segment, index, node }: StandIn): void {
    const row = this.#database
      .prepare('SELECT sealed FROM stand_ins WHERE object = ? AND segment = ?')
      .get(object, segment)
    const before = row === undefined ? [] : this.#open(object, segment, row['sealed'] as Uint8Array)
    if (before.some((one) => one.index === index && one.node === node)) return
    const plain = [...before, { index, node }].map((one) => [one.index, one.node])
    this.#database
      .prepare('INSERT OR REPLACE INTO stand_ins (object, segment, sealed) VALUES (?, ?, ?)')
      .run(object, segment, this.#rows.seal(rowOf(object, segment), plain))
  }

  of(object: string): StandIn[] {
    const rows = this.#database
      .prepare('SELECT segment, sealed FROM stand_ins WHERE object = ? ORDER BY segment')
      .all(object)
    return rows.flatMap((row) => this.#open(object, row['segment'] as number, row['sealed'] as Uint8Array))
  }

  /** Durable when it returns, unless within a transaction. */
  remove(object: string): void {
    this.#database.prepare('DELETE FROM stand_ins WHERE object = ?').run(object)
  }

  #open(object: string, segment: number, sealed: Uint8Array): StandIn[] {
    const opened = this.#rows.open(rowOf(object, segment), sealed) as [number, DidKey][]
    return opened.map(([index, node]) => ({ segment, index, node }))
  }
}

function rowOf(object: string, segment: number): string {
  return `stand-ins:${object}/${segment}`
}
