import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DidKey } from '@weft/crypto'
import { Neighbourhood } from '../../src/liveness/neighbourhood.ts'
import type { WatchedPeer } from '../../src/liveness/watched-peer.ts'
import { testKeys } from '../fixtures.ts'

const [self, a, b, c] = testKeys(4).map(({ id }) => id) as [DidKey, DidKey, DidKey, DidKey]

test('who was not heard for longest is asked next, by those that have a connection and are not asked already', () => {
  const around = new Neighbourhood(self, () => undefined)
  around.watch(new Set([a, b, c]), 'sparse')
  const peer = (id: DidKey): WatchedPeer => around.get(id) ?? assert.fail('watched')
  assert.equal(around.unheardFor(4_000, 10_000), undefined, 'nobody is connected')
  for (const [id, answeredAt] of [
    [a, 3_000],
    [b, 2_000],
    [c, 7_000],
  ] as const) {
    Object.assign(peer(id), { connected: true, answeredAt })
  }
  assert.equal(around.unheardFor(4_000, 10_000)?.id, b)
  peer(b).probing = true
  assert.equal(around.unheardFor(4_000, 10_000)?.id, a)
  peer(a).probedAt = 6_500
  assert.equal(around.unheardFor(4_000, 10_000), undefined, 'asked lately')
  assert.equal(around.unheardFor(4_000, 11_000)?.id, a)
})

test('statements are of use to all, or to those who may watch whom they are about', () => {
  const around = new Neighbourhood(self, () => undefined)
  around.watch(new Set([a, b, c]), 'mesh')
  assert.equal(around.audience(a).size, 3)
  let asked = 0
  around.watch(new Set([a, b, c]), 'sparse', (watcher, subject) => (asked++, watcher === b && subject === a))
  assert.deepEqual([around.audience(a).has(b), around.audience(a).has(c)], [true, false])
  assert.equal(around.audience(c).size, 0)
  assert.equal(asked, 6, 'once for each neighbour and each of whom there is talk')
})
