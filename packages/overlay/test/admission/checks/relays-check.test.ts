import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOf } from '../../fixtures.ts'
import { apply, overRelay, reachedOver, RELAY } from '../apply.ts'

test('who keeps for others and is reached over a certified relay gets a vote', async () => {
  const body = { addresses: [overRelay, addressOf(4)] }
  assert.equal(await apply({ body: { addresses: [overRelay] }, prepare: reachedOver(overRelay) }), 'admitted')
  assert.equal(await apply({ body: { ...RELAY, ...body }, prepare: reachedOver(overRelay) }), 'admitted')
  assert.equal(await apply({ body }), 'E_ADMISSION_UNREACHABLE')
})
