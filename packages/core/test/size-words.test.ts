import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SIZE_UNITS, sizeWords } from '../src/index.ts'

test('a size is told in the largest unit of which it is a whole number', () => {
  assert.deepEqual([0, 1, 1_000, 1_024, 2 ** 30, 2 ** 30 + 1, 500e9].map(sizeWords), [
    '0 B',
    '1 B',
    '1 kB',
    '1 KiB',
    '1 GiB',
    '1073741825 B',
    '500 GB',
  ])
})

test('no size is rounded', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 50 }), (bytes) => {
      const [count, unit] = sizeWords(bytes).split(' ')
      const factor = SIZE_UNITS.find(([name]) => name === unit)?.[1] ?? assert.fail(unit)
      assert.equal(Number(count) * factor, bytes)
    }),
  )
})
