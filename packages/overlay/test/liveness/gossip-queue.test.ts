import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DidKey } from '@weft/crypto'
import fc from 'fast-check'
import { GossipQueue } from '../../src/liveness/gossip-queue.ts'
import { MAX_QUEUE } from '../../src/liveness/liveness-limits.ts'
import { testKeys } from '../fixtures.ts'

const ids = testKeys(20).map(({ id }) => id)
const id = (index: number): DidKey => ids[index] as DidKey
const envelope = { payload: new Uint8Array(1), signer: new Uint8Array(32), signature: new Uint8Array(64) }

test('gossip: bounded, each statement so often, nobody hears of itself, a sign of life takes suspicions along', () => {
  // Each statement goes to two: to the logarithm of an audience of two.
  const audience = { size: 2, has: () => true }
  const queue = new GossipQueue(() => audience)
  queue.putSuspicion(id(1), id(2), envelope)
  queue.putSuspicion(id(3), id(2), envelope)
  assert.equal(queue.take(id(1), 8).suspicions.length, 1)
  assert.equal(queue.take(id(4), 1).suspicions.length, 1, 'that which was sent less')
  assert.equal(queue.take(id(4), 8).suspicions.length, 2)
  assert.equal(queue.size, 0)
  queue.putSuspicion(id(1), id(2), envelope)
  queue.putAlive(id(1), envelope)
  assert.deepEqual([queue.take(id(4), 8).alive.length, queue.size], [1, 1])
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(19), fc.nat(19)), { maxLength: 900 }), (pairs) => {
      for (const [accused, observer] of pairs) queue.putSuspicion(id(accused), id(observer), envelope)
      assert.ok(queue.size <= MAX_QUEUE)
      assert.ok(queue.take(id(0), 3).suspicions.length <= 3)
    }),
    { numRuns: 20 },
  )
})

test('gossip goes to those whom it is of use to', () => {
  const queue = new GossipQueue((subject) => (subject === id(1) ? new Set([id(5), id(6)]) : new Set<DidKey>()))
  queue.putSuspicion(id(1), id(2), envelope)
  queue.putSuspicion(id(3), id(2), envelope)
  assert.equal(queue.size, 1, 'of no use to anybody')
  assert.deepEqual([queue.hasFor(id(4)), queue.hasFor(id(5))], [false, true])
  assert.equal(queue.take(id(4), 8).suspicions.length, 0)
  assert.equal(queue.take(id(5), 8).suspicions.length, 1)
})
