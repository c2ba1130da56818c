import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apply, RELAY } from '../apply.ts'
import { asking, claim } from '../hostile/claims.ts'

test('what holds is certified as it is claimed, and what cannot be known yet is held against nobody', async () => {
  const all = claim({ bandwidthMbps: 20, lossPpm: 100, storageBytes: 5, availabilityPpm: 900_000 })
  const gauges = { bandwidth: async () => 20, loss: async () => ({ sent: 400, lost: 1 }), availability: () => 900_000 }
  assert.equal(await apply({ network: asking, body: { ...RELAY, measured: all }, gauges }), 'admitted')
  const unknown = { ...gauges, availability: () => undefined }
  assert.equal(await apply({ network: asking, body: { ...RELAY, measured: all }, gauges: unknown }), 'admitted')
})
