import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zeroMatrix } from '../src/matrix.ts'
import { productTables, TABLE_BYTES } from '../src/product-tables.ts'
import { slowMultiply } from './lib/reference.ts'

test('passes cover each row once, and none is of one or two rows where threes and fours do', () => {
  for (let rows = 1; rows < 255; rows++) {
    const { passes } = productTables(zeroMatrix(rows, 1))
    assert.equal(
      passes.reduce<number>((sum, pass) => sum + pass, 0),
      rows,
    )
    const slow = passes.filter((pass) => pass < 3)
    assert.equal(slow.length, [1, 2, 5].includes(rows) ? 1 : 0, `${rows} rows`)
  }
})

test('tables hold the products with either half of a byte, row beside row within a pass', () => {
  const matrix = { rows: 2, columns: 2, cells: Uint8Array.of(0x02, 0x8e, 0x00, 0xff) }
  const { bytes } = productTables(matrix)
  for (const [at, coefficient] of [0x02, 0x00, 0x8e, 0xff].entries()) {
    for (let nibble = 0; nibble < 16; nibble++) {
      assert.equal(bytes[at * TABLE_BYTES + nibble], slowMultiply(coefficient, nibble))
      assert.equal(bytes[at * TABLE_BYTES + 16 + nibble], slowMultiply(coefficient, nibble << 4))
    }
  }
})
