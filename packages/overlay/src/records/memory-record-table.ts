import { toHex } from '@weft/core'
import type { RecordKey } from './record-store.ts'
import type { OverdueRecord, RecordRow, RecordTable, StoredRecord } from './record-table.ts'

interface Kept extends StoredRecord {
  readonly row: RecordRow
}

/** The rows of a holder in memory: for nodes that have no disk, as those of a simulation. */
export class MemoryRecordTable implements RecordTable {
  /** By key, hex; in the order of their rowids, as one that is replaced keeps its place. */
  readonly #records = new Map<string, Kept>()
  readonly #keys = new Map<number, string>()
  readonly #usage = new Map<string, number>()
  #lastRowid = 0

  async change<T>(apply: () => T): Promise<T> {
    return apply()
  }

  record(key: RecordKey): Uint8Array | undefined {
    return this.#records.get(toHex(key))?.record
  }

  row(key: RecordKey): RecordRow | undefined {
    return this.#records.get(toHex(key))?.row
  }

  put(key: RecordKey, row: RecordRow, record: Uint8Array): void {
    const hex = toHex(key)
    const rowid = this.#records.get(hex)?.rowid ?? ++this.#lastRowid
    this.#records.set(hex, { rowid, key, row, record })
    this.#keys.set(rowid, hex)
  }

  remove(rowid: number): void {
    this.#records.delete(this.#keys.get(rowid) ?? '')
    this.#keys.delete(rowid)
  }

  page(after: number, limit: number, now: number): StoredRecord[] {
    const page: StoredRecord[] = []
    for (const { rowid, key, row, record } of this.#records.values()) {
      if (page.length >= limit) break
      if (rowid > after && row.expiresAt > now) page.push({ rowid, key, record })
    }
    return page
  }

  overdue(now: number, limit: number): OverdueRecord[] {
    const overdue: OverdueRecord[] = []
    for (const { rowid, row } of this.#records.values()) {
      if (overdue.length >= limit) break
      if (row.guardUntil <= now) overdue.push({ rowid, size: row.size, account: row.account })
    }
    return overdue
  }

  usage(accounts: readonly string[]): ReadonlyMap<string, number> {
    return new Map(
      accounts.flatMap((account) => {
        const bytes = this.#usage.get(account)
        return bytes === undefined ? [] : [[account, bytes] as const]
      }),
    )
  }

  charge(accounts: readonly string[], bytes: number): void {
    for (const account of accounts) {
      const sum = (this.#usage.get(account) ?? 0) + bytes
      if (sum > 0) this.#usage.set(account, sum)
      else this.#usage.delete(account)
    }
  }
}
