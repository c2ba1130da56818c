import type { DatabaseSync } from 'node:sqlite'
import type { SealedRows } from '../object/sealed-rows.ts'
import type { Operation } from './log-entry.ts'

export const LOG_SCHEMA = `
  CREATE TABLE IF NOT EXISTS log_waiting (id INTEGER PRIMARY KEY AUTOINCREMENT, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS log_outbox (position INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS log_state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
`

/** Operations of an entry at most. */
const MAX_OPERATIONS = 1_000

/** Where a machine stands in the log. */
export interface LogState {
  /** The first position that it knows nothing at. */
  readonly position: number
  /** Its own name in the log, 16 bytes. */
  readonly writer: Uint8Array
  /** Another machine writes. */
  readonly taken: boolean
}

/**
 * What of the log is on this disk: operations that are in no entry yet, and pieces that are not in the network yet. A
 * piece is written down before it is sent, so that the same bytes are sent again after a crash: a position has one value.
 */
export class LogTable {
  readonly #database: DatabaseSync
  readonly #rows: SealedRows
  #last: number

  constructor(database: DatabaseSync, rows: SealedRows) {
    this.#database = database
    this.#rows = rows
    this.#last = Number(database.prepare('SELECT coalesce(max(id), 0) AS id FROM log_waiting').get()?.['id'] ?? 0)
  }

  /** The number of the operation added last. */
  get last(): number {
    return this.#last
  }

  state(): LogState | undefined {
    const rows = this.#database.prepare('SELECT name, value FROM log_state').all()
    const values = new Map(rows.map(({ name, value }) => [name, value]))
    const writer = values.get('writer')
    if (!(writer instanceof Uint8Array)) return undefined
    return {
      position: Number(values.get('position')),
      writer: new Uint8Array(writer),
      taken: values.get('taken') === 1,
    }
  }

  writeState({ position, writer, taken }: LogState): void {
    const write = this.#database.prepare('INSERT OR REPLACE INTO log_state (name, value) VALUES (?, ?)')
    write.run('position', position)
    write.run('writer', writer)
    write.run('taken', taken ? 1 : 0)
  }

  /** Part of the transaction that makes the operation. @returns its number */
  add(operation: Operation): number {
    const id = this.#last + 1
    this.#database
      .prepare('INSERT INTO log_waiting (id, sealed) VALUES (?, ?)')
      .run(id, this.#rows.seal(`log:${id}`, operation))
    return id
  }

  /** The transaction with this operation is durable. */
  added(id: number): void {
    this.#last = id
  }

  /** Those that are in no entry yet, the oldest first. */
  waiting(): readonly { readonly id: number; readonly operation: Operation }[] {
    const rows = this.#database.prepare('SELECT id, sealed FROM log_waiting ORDER BY id LIMIT ?').all(MAX_OPERATIONS)
    return rows.map(({ id, sealed }) => ({
      id: Number(id),
      operation: this.#rows.open(`log:${Number(id)}`, sealed as Uint8Array) as Operation,
    }))
  }

  /** Within a transaction: operations up to `id` are in these pieces from now on. */
  pack(id: number, pieces: readonly Uint8Array[], state: LogState): void {
    const insert = this.#database.prepare('INSERT INTO log_outbox (position, value) VALUES (?, ?)')
    for (const [at, value] of pieces.entries()) insert.run(state.position + at, value)
    this.#database.prepare('DELETE FROM log_waiting WHERE id <= ?').run(id)
    this.writeState({ ...state, position: state.position + pieces.length })
  }

  outbox(): readonly { readonly position: number; readonly value: Uint8Array }[] {
    const rows = this.#database.prepare('SELECT position, value FROM log_outbox ORDER BY position').all()
    return rows.map(({ position, value }) => ({ position: Number(position), value: value as Uint8Array }))
  }

  /** It is in the network. */
  sent(position: number): void {
    this.#database.prepare('DELETE FROM log_outbox WHERE position = ?').run(position)
  }

  /** Within a transaction. */
  clear(): void {
    this.#database.exec('DELETE FROM log_waiting; DELETE FROM log_outbox;')
  }
}
