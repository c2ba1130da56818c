import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** Prepares each statement of a database once, by its text. Texts are constants of the code: nothing is ever dropped. */
export class StatementCache {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Not for `iterate`: two loops over one statement would disturb each other. @throws the error of SQLite */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
