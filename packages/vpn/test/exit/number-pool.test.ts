import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NumberPool } from '../../src/exit/number-pool.ts'

test('numbers go out once each; what came back goes out last', () => {
  const pool = new NumberPool(2, 6)
  assert.deepEqual([pool.take(), pool.take()], [2, 3])
  pool.give(2)
  assert.deepEqual([pool.take(), pool.take(), pool.take(), pool.take()], [4, 5, 2, undefined])
})

test('property: none is out twice, and none is lost', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (steps) => {
      const pool = new NumberPool(0, 20)
      const out: number[] = []
      for (const isTaken of steps) {
        const number = isTaken ? pool.take() : undefined
        if (number !== undefined) {
          assert.ok(!out.includes(number))
          out.push(number)
        } else if (isTaken) assert.equal(out.length, 20)
        else if (out.length > 0) pool.give(out.shift() as number)
      }
    }),
  )
})
