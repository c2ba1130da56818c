import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CELLS_OF_HANDSHAKE, MOST_OF_ONE, cappedUse } from '../../src/load/capped-use.ts'

test('one circuit that fills a node shows as a twelfth, and twelve that do as full', () => {
  assert.equal(cappedUse(1, { cells: [5_000], handshakes: 0 }), MOST_OF_ONE)
  assert.ok(cappedUse(1, { cells: Array.from({ length: 12 }, () => 500), handshakes: 0 }) > 0.999)
})

test('what is none of the circuits counts in full: handshakes, and whatever goes on while nothing is carried', () => {
  assert.equal(cappedUse(0.7, { cells: [], handshakes: 0 }), 0.7)
  assert.equal(cappedUse(1, { cells: [], handshakes: 40 }), 1)
  const half = cappedUse(0.8, { cells: [10 * CELLS_OF_HANDSHAKE], handshakes: 10 })
  assert.ok(Math.abs(half - (0.4 + MOST_OF_ONE)) < 1e-9)
})

test('property: one circuit more, which adds what it moves, adds a twelfth at most and takes nothing away', () => {
  const many = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(many, fc.nat({ max: 100_000 }), fc.double({ min: 0.01, max: 1, noNaN: true }), (cells, one, load) => {
      const total = cells.reduce((sum, each) => sum + each, 0)
      const capacity = (total + one) / load
      const without = cappedUse(total / capacity, { cells, handshakes: 0 })
      const withIt = cappedUse((total + one) / capacity, { cells: [...cells, one], handshakes: 0 })
      assert.ok(withIt >= without - 1e-9 && withIt <= without + MOST_OF_ONE + 1e-9)
    }),
  )
})
