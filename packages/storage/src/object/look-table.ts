import type { DatabaseSync } from 'node:sqlite'

export const LOOKS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS looks (
    object TEXT PRIMARY KEY,
    at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`

/** When all shards of each object of the local list were looked at last: nothing in it is secret. */
export class LookTable {
  readonly #database: DatabaseSync
  readonly #looks: Map<string, number>

  constructor(database: DatabaseSync) {
    this.#database = database
    const rows = database.prepare('SELECT object, at FROM looks').all() as unknown as { object: string; at: number }[]
    this.#looks = new Map(rows.map(({ object, at }) => [object, at]))
  }

  /** Durable when it returns. @param at ms since the epoch */
  write(object: string, at: number): void {
    this.#database.prepare('INSERT OR REPLACE INTO looks (object, at) VALUES (?, ?)').run(object, at)
    this.#looks.set(object, at)
  }

  /** ms since the epoch; undefined when it was not looked at yet. */
  of(object: string): number | undefined {
    return this.#looks.get(object)
  }

  /** Durable when it returns, unless within a transaction. */
  remove(object: string): void {
    this.#database.prepare('DELETE FROM looks WHERE object = ?').run(object)
    this.#looks.delete(object)
  }
}
