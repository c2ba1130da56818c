import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inverse, multiply } from '../src/galois-field.ts'
import { tileTables } from '../src/tile-tables.ts'

test('codes of some size are tiled, small ones take the plain product', () => {
  for (const [k, n] of [
    [8, 16],
    [10, 20],
    [20, 40],
    [20, 60],
    [20, 80],
    [40, 80],
  ] as const)
    assert.ok(tileTables(k, n) !== undefined, `${k} of ${n}`)
  for (const [k, n] of [
    [1, 2],
    [3, 9],
    [5, 15],
    [6, 12],
    [254, 255],
  ] as const)
    assert.equal(tileTables(k, n), undefined, `${k} of ${n}`)
})

test('20 of 60 needs a 10 by 5 matrix on four coefficients and 15 transforms: 260 products instead of 800', () => {
  const tables = tileTables(20, 60)
  assert.ok(tables !== undefined)
  const { edge, tiles, factors } = tables
  assert.deepEqual(
    [edge, tiles, factors].map(({ rows, columns }) => [rows, columns]),
    [
      [0, 20],
      [10, 5],
      [1, 45],
    ],
  )
})

test('rows that share a tile with columns stay outside the tiles', () => {
  for (let k = 17; k <= 20; k++) {
    const tables = tileTables(k, 60)
    assert.deepEqual(
      [tables?.edge.rows, tables?.edge.columns, tables?.tileRows, tables?.tileColumns],
      [20 - k, k, 10, 5],
    )
  }
})

test('s is one constant for all of a tile, and t as the transform needs it', () => {
  const s = (y: number): number => multiply(multiply(y, y ^ 1), multiply(y ^ 2, y ^ 3))
  const t = (x: number): number => multiply(multiply(x, x ^ 1), inverse(6))
  for (let first = 0; first < 256; first += 4) {
    for (let inside = 0; inside < 4; inside++) {
      assert.equal(s(first + inside), s(first))
      assert.equal(t(first + inside), t(first) ^ t(inside))
    }
  }
  assert.deepEqual([0, 1, 2, 3].map(t), [0, 0, 1, 1])
})
