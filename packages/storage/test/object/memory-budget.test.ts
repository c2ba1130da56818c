import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MemoryBudget } from '../../src/object/memory-budget.ts'

test('what is released is never more than what was taken, and nothing is taken ahead beyond the capacity', () => {
  const steps = fc.array(
    fc.record({
      bytes: fc.nat({ max: 60 }),
      ahead: fc.boolean(),
      parts: fc.array(fc.nat({ max: 60 }), { maxLength: 3 }),
    }),
  )
  fc.assert(
    fc.property(steps, (list) => {
      const budget = new MemoryBudget(100)
      const leases = list.map(({ bytes, ahead, parts }) => {
        const before = budget.used
        const lease = ahead ? budget.tryTake(bytes) : budget.take(bytes)
        assert.equal(lease === undefined, ahead && before + bytes > 100)
        for (const part of parts) lease?.release(part)
        assert.ok(budget.used >= before)
        return lease
      })
      for (const lease of leases) {
        lease?.release()
        lease?.release()
      }
      assert.equal(budget.used, 0)
    }),
  )
})
