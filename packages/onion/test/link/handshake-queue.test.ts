import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HandshakeQueue } from '../../src/link/handshake-queue.ts'

test('is a queue of so many, whatever is added and taken', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.oneof(fc.constant('take' as const), fc.nat(5)), { maxLength: 200 }),
      (capacity, steps) => {
        const queue = new HandshakeQueue(capacity)
        const model: number[] = []
        for (const [number, step] of steps.entries()) {
          const from = { address: String(number), port: 1 }
          if (step === 'take') {
            const taken = queue.take()
            assert.deepEqual(taken && [taken.message[0], taken.from.address], mark(model.shift()))
          } else {
            const fits = model.length + step < capacity
            assert.equal(queue.add(Uint8Array.of(number & 255), from, step), fits)
            if (fits) model.push(number)
          }
          assert.equal(queue.length, model.length)
        }
      },
    ),
  )
})

function mark(number: number | undefined): [number, string] | undefined {
  return number === undefined ? undefined : [number & 255, String(number)]
}
