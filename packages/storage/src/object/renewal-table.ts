import type { DatabaseSync } from 'node:sqlite'

export const RENEWALS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS renewals (
    object TEXT PRIMARY KEY,
    until INTEGER NOT NULL,
    deadline INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`

/** A renewal that is not over. */
export interface RenewalRow {
  readonly object: string
  /** ms since the epoch: the latest end that any holder was or will be told. */
  readonly until: number
  /** ms since the epoch: the end that it had; what is not renewed until then is gone. */
  readonly deadline: number
}

/** The renewals of the local list that are not over: nothing in them is secret. */
export class RenewalTable {
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Durable when it returns. A later end that was wanted before stays. */
  write({ object, until, deadline }: RenewalRow): void {
    this.#database
      .prepare(
        `INSERT INTO renewals (object, until, deadline) VALUES (?, ?, ?)
        ON CONFLICT (object) DO UPDATE SET until = max(until, excluded.until), deadline = excluded.deadline`,
      )
      .run(object, until, deadline)
  }

  /** Durable when it returns, unless within a transaction. */
  remove(object: string): void {
    this.#database.prepare('DELETE FROM renewals WHERE object = ?').run(object)
  }

  until(object: string): number | undefined {
    const row = this.#database.prepare('SELECT until FROM renewals WHERE object = ?').get(object)
    return row?.['until'] as number | undefined
  }

  list(): RenewalRow[] {
    const rows = this.#database.prepare('SELECT object, until, deadline FROM renewals').all()
    return rows as unknown as RenewalRow[]
  }
}
