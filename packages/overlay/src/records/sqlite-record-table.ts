import { join } from 'node:path'
import type { Scope } from '@weft/core'
import { GroupCommitDatabase } from './group-commit.ts'
import type { RecordKey } from './record-store.ts'
import type { OverdueRecord, RecordRow, RecordTable, StoredRecord } from './record-table.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS records (
    key BLOB NOT NULL UNIQUE, sequence INTEGER NOT NULL, expires_at INTEGER NOT NULL, guard_until INTEGER NOT NULL,
    value_hash BLOB NOT NULL, caller TEXT NOT NULL, size INTEGER NOT NULL, record BLOB NOT NULL);
  CREATE INDEX IF NOT EXISTS records_by_guard ON records (guard_until);
  CREATE TABLE IF NOT EXISTS usage (caller TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
`

/** The rows of a holder in a file of SQLite; what `change` acknowledged is on disk. */
export class SqliteRecordTable implements RecordTable {
  readonly #database: GroupCommitDatabase

  /** @param scope closes it @throws WeftError E_DATABASE, E_DISK_FULL */
  static async open(directory: string, scope: Scope): Promise<SqliteRecordTable> {
    const database = await GroupCommitDatabase.open(
      join(directory, 'records.sqlite'),
      SCHEMA,
      'stop the node and remove it: other holders have copies',
    )
    scope.use('record holder', database)
    return new SqliteRecordTable(database)
  }

  private constructor(database: GroupCommitDatabase) {
    this.#database = database
  }

  change<T>(apply: () => T): Promise<T> {
    return this.#database.change(apply)
  }

  record(key: RecordKey): Uint8Array | undefined {
    return this.#database.prepare('SELECT record FROM records WHERE key = ?').get(key)?.['record'] as
      | Uint8Array
      | undefined
  }

  row(key: RecordKey): RecordRow | undefined {
    const row = this.#database
      .prepare('SELECT sequence, expires_at, guard_until, value_hash, caller, size FROM records WHERE key = ?')
      .get(key)
    if (row === undefined) return undefined
    return {
      sequence: row['sequence'] as number,
      expiresAt: row['expires_at'] as number,
      guardUntil: row['guard_until'] as number,
      valueHash: row['value_hash'] as Uint8Array,
      account: row['caller'] as string,
      size: row['size'] as number,
    }
  }

  put(key: RecordKey, row: RecordRow, record: Uint8Array): void {
    this.#database
      .prepare(
        `INSERT INTO records (key, sequence, expires_at, guard_until, value_hash, caller, size, record)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET sequence = excluded.sequence,
       expires_at = excluded.expires_at, guard_until = excluded.guard_until, value_hash = excluded.value_hash,
       caller = excluded.caller, size = excluded.size, record = excluded.record`,
      )
      .run(key, row.sequence, row.expiresAt, row.guardUntil, row.valueHash, row.account, row.size, record)
  }

  remove(rowid: number): void {
    this.#database.prepare('DELETE FROM records WHERE rowid = ?').run(rowid)
  }

  page(after: number, limit: number, now: number): StoredRecord[] {
    return this.#database
      .prepare('SELECT rowid, key, record FROM records WHERE rowid > ? AND expires_at > ? ORDER BY rowid LIMIT ?')
      .all(after, now, limit)
      .map((row) => ({
        rowid: row['rowid'] as number,
        key: row['key'] as Uint8Array,
        record: row['record'] as Uint8Array,
      }))
  }

  overdue(now: number, limit: number): OverdueRecord[] {
    return this.#database
      .prepare('SELECT rowid, caller, size FROM records WHERE guard_until <= ? LIMIT ?')
      .all(now, limit)
      .map((row) => ({
        rowid: row['rowid'] as number,
        size: row['size'] as number,
        account: row['caller'] as string,
      }))
  }

  usage(accounts: readonly [string, string, string]): ReadonlyMap<string, number> {
    const rows = this.#database.prepare('SELECT caller, bytes FROM usage WHERE caller IN (?, ?, ?)').all(...accounts)
    return new Map(rows.map((row) => [row['caller'] as string, row['bytes'] as number]))
  }

  charge(accounts: readonly string[], bytes: number): void {
    // One statement for all: a put pays for each that it runs.
    const rows = accounts.map(() => '(?, ?)').join(', ')
    this.#database
      .prepare(`INSERT INTO usage VALUES ${rows} ON CONFLICT (caller) DO UPDATE SET bytes = bytes + excluded.bytes`)
      .run(...accounts.flatMap((account) => [account, bytes]))
    if (bytes >= 0) return
    this.#database
      .prepare(`DELETE FROM usage WHERE bytes <= 0 AND caller IN (${accounts.map(() => '?').join(', ')})`)
      .run(...accounts)
  }
}
