import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Scope } from '@weft/core'
import fc from 'fast-check'
import { MemoryRecordTable } from '../../src/records/memory-record-table.ts'
import type { RecordTable } from '../../src/records/record-table.ts'
import { SqliteRecordTable } from '../../src/records/sqlite-record-table.ts'
import { temporaryDirectory } from '../fixtures.ts'

const keyOf = (name: number): Uint8Array => new Uint8Array(32).fill(name)
const ACCOUNTS = ['a', '~b', ''] as const

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('put' as const),
      key: fc.nat(6),
      sequence: fc.nat(9),
      expiresAt: fc.nat(20),
      guardUntil: fc.nat(20),
      account: fc.constantFrom(...ACCOUNTS),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('remove' as const), key: fc.nat(6) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('charge' as const),
      accounts: fc.uniqueArray(fc.constantFrom(...ACCOUNTS), { minLength: 2, maxLength: 3 }),
      bytes: fc.integer({ min: -3, max: 5 }),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function apply(table: RecordTable, action: Step): void {
  if (action.op === 'remove') table.remove(rowidOf(table, keyOf(action.key)))
  else if (action.op === 'charge') table.charge(action.accounts, action.bytes)
  else {
    const { key, sequence, expiresAt, guardUntil, account, bytes } = action
    const row = { sequence, expiresAt, guardUntil, account, size: bytes.length, valueHash: keyOf(sequence) }
    table.put(keyOf(key), row, bytes)
  }
}

/** -1 for a key that has none. */
function rowidOf(table: RecordTable, key: Uint8Array): number {
  return table.page(0, 100, -1).find((row) => Buffer.compare(row.key, key) === 0)?.rowid ?? -1
}

/** Everything that a table tells, with bytes as hex: Node's SQLite and memory hand out arrays of their own kinds. */
function view(table: RecordTable, now: number): unknown {
  const plain = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value, (_, each: unknown) => (each instanceof Uint8Array ? each.toHex() : each)) ?? 'null',
    )
  const usage = table.usage(ACCOUNTS)
  // SQLite may give the number of the newest row again once that is gone: only the order counts.
  const all = table.page(0, 100, -1)
  const ranks = new Map(all.map(({ rowid }, rank) => [rowid, rank]))
  const ranked = <T extends { readonly rowid: number }>(rows: readonly T[]) =>
    rows.map((row) => ({ ...row, rowid: ranks.get(row.rowid) }))
  return plain({
    rows: Array.from({ length: 8 }, (_, key) => [table.row(keyOf(key)), table.record(keyOf(key))]),
    pages: [undefined, ...all].map((after) => ranked(table.page(after?.rowid ?? 0, 3, now))),
    overdue: ranked(table.overdue(now, 20).toSorted((a, b) => a.rowid - b.rowid)),
    usage: ACCOUNTS.map((account) => usage.get(account) ?? 0),
  })
}

test('rows in memory behave as those in SQLite do', async () => {
  using directory = temporaryDirectory()
  await using scope = new Scope({ name: 'test' })
  const sqlite = await SqliteRecordTable.open(directory.path, scope)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.nat(20), async (steps, now) => {
      const memory = new MemoryRecordTable()
      for (const row of sqlite.page(0, 100, -1)) sqlite.remove(row.rowid)
      const before = sqlite.usage(ACCOUNTS)
      for (const account of ACCOUNTS) sqlite.charge([account], -(before.get(account) ?? 0) - 1)
      for (const action of steps) {
        // The sums of a holder never fall below zero.
        if (
          action.op === 'charge' &&
          action.accounts.some((of) => (memory.usage(ACCOUNTS).get(of) ?? 0) + action.bytes < 0)
        )
          continue
        for (const table of [sqlite, memory]) await table.change(() => apply(table, action))
      }
      assert.deepEqual(view(memory, now), view(sqlite, now))
    }),
    { numRuns: 60 },
  )
})

test('a change that throws reaches its caller', async () => {
  await assert.rejects(
    new MemoryRecordTable().change(() => assert.fail('no room')),
    /no room/,
  )
})
