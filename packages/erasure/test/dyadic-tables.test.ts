import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dyadicTables } from '../src/dyadic-tables.ts'

test('large codes get dyadic tables, small ones the plain product', () => {
  for (const [k, n] of [
    [20, 40],
    [20, 60],
    [20, 80],
    [40, 80],
  ] as const)
    assert.ok(dyadicTables(k, n) !== undefined)
  for (const [k, n] of [
    [1, 2],
    [3, 9],
    [5, 15],
    [10, 20],
  ] as const)
    assert.equal(dyadicTables(k, n), undefined)
})

test('20 of 60 needs 4 matrices of 10 by 5 blocks, 450 products instead of 800', () => {
  const tables = dyadicTables(20, 60)
  assert.deepEqual(
    { rowBlocks: tables?.rowBlocks, columnBlocks: tables?.columnBlocks, skipped: tables?.skippedRows },
    { rowBlocks: 10, columnBlocks: 5, skipped: 0 },
  )
  assert.deepEqual(
    tables?.matrices.map(({ rows, columns }) => [rows, columns]),
    Array.from({ length: 4 }, () => [10, 5]),
  )
})
