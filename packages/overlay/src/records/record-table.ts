import type { RecordKey } from './record-store.ts'
import type { RecordVersion } from './record.ts'

/** What a holder decides by when another version of a record comes. */
export interface RecordRow extends RecordVersion {
  /** Bytes that it is charged for. */
  readonly size: number
  /** To whom these are charged. */
  readonly account: string
  /** ms since the Unix epoch: until when it is kept. */
  readonly guardUntil: number
}

export interface StoredRecord {
  /** When a record is put for the first time, greater than that of every other record that is there. */
  readonly rowid: number
  readonly key: RecordKey
  /** The message as it was put. */
  readonly record: Uint8Array
}

/** A record that is no longer needed. */
export interface OverdueRecord {
  readonly rowid: number
  readonly size: number
  readonly account: string
}

/** The rows of a holder: its records, and how many bytes each account has. */
export interface RecordTable {
  /**
   * Runs `apply`, and resolves with its result once what it wrote outlives a crash. What is written happens in `apply`
   * only, which throws before it writes, or not at all.
   * @throws what `apply` throws; WeftError E_DISK_FULL, E_DATABASE, E_BUSY
   */
  change<T>(apply: () => T): Promise<T>
  /** The bytes of a record. */
  record(key: RecordKey): Uint8Array | undefined
  row(key: RecordKey): RecordRow | undefined
  /** Adds a record, or replaces the one of the same key in its place. */
  put(key: RecordKey, row: RecordRow, record: Uint8Array): void
  remove(rowid: number): void
  /** Up to `limit` records behind `after` (a rowid, 0 to begin) that expire after `now`, in the order of their rowids. */
  page(after: number, limit: number, now: number): StoredRecord[]
  /** Up to `limit` records whose guard ended at `now` or before. */
  overdue(now: number, limit: number): OverdueRecord[]
  /** Bytes charged to each of two or three accounts; none for one that has nothing. */
  usage(accounts: readonly [string, string, string]): ReadonlyMap<string, number>
  /** Adds `bytes`, which may be negative, to each account. */
  charge(accounts: readonly string[], bytes: number): void
}
