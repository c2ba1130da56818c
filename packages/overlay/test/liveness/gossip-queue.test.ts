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
  const queue = new GossipQueue()
  queue.putSuspicion(id(1), id(2), envelope)
  queue.putSuspicion(id(3), id(2), envelope)
  assert.equal(queue.take(id(1), 8, 2).suspicions.length, 1)
  assert.equal(queue.take(id(4), 1, 2).suspicions.length, 1, 'that which was sent less')
  assert.equal(queue.take(id(4), 8, 2).suspicions.length, 2)
  assert.equal(queue.size, 0)
  queue.putSuspicion(id(1), id(2), envelope)
  queue.putAlive(id(1), envelope)
  assert.deepEqual([queue.take(id(4), 8, 9).alive.length, queue.size], [1, 1])
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(19), fc.nat(19)), { maxLength: 900 }), (pairs) => {
      for (const [accused, observer] of pairs) queue.putSuspicion(id(accused), id(observer), envelope)
      assert.ok(queue.size <= MAX_QUEUE)
      assert.ok(queue.take(id(0), 3, 5).suspicions.length <= 3)
    }),
    { numRuns: 20 },
  )
})
