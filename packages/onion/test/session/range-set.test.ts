import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RangeSet } from '../../src/session/range-set.ts'

test('a range set holds what a set of integers holds', () => {
  const step = fc.record({ add: fc.boolean(), low: fc.nat(60), length: fc.nat(12) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ranges = new RangeSet()
      const model = new Set<number>()
      for (const { add, low, length } of steps) {
        if (add) ranges.add(low, low + length)
        else ranges.remove(low, low + length)
        for (let i = low; i < low + length; i++)
          if (add) model.add(i)
          else model.delete(i)
        for (let i = 0; i < 75; i++) assert.equal(ranges.has(i), model.has(i), `${i}`)
        for (let i = 0; i < ranges.count; i++) {
          assert.ok(ranges.low(i) < ranges.high(i))
          if (i > 0) assert.ok(ranges.high(i - 1) < ranges.low(i))
        }
      }
    }),
  )
})
