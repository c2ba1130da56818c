import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { ProbeOrder } from '../../src/liveness/probe-order.ts'
import { testKeys } from '../fixtures.ts'

const ids = testKeys(20).map(({ id }) => id)
const id = (index: number): DidKey => ids[index] as DidKey

test('each neighbour is probed once a round, in an order that changes, and a newcomer within it', () => {
  const order = new ProbeOrder(seededRandom(4))
  order.set(new Set(ids.slice(0, 10)))
  const round = (count: number): (DidKey | undefined)[] => Array.from({ length: count }, () => order.next(() => true))
  const [first, second] = [round(10), round(10)]
  assert.deepEqual(new Set(first), new Set(ids.slice(0, 10)))
  assert.deepEqual(new Set(second), new Set(first))
  assert.notDeepEqual(first, second)
  order.set(new Set(ids.slice(0, 11)))
  assert.ok(round(11).includes(id(10)))
  order.set(new Set())
  assert.equal(
    order.next(() => true),
    undefined,
  )
  order.set(new Set(ids.slice(0, 3)))
  assert.equal(
    order.next(() => false),
    undefined,
  )
  assert.equal(
    order.next((one) => one === id(2)),
    id(2),
  )
})
