import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apply } from '../apply.ts'
import { beacon, right } from '../hostile/beacons.ts'

test('a member keeps its position, and takes the one of the first beacon after its certificate', async () => {
  assert.equal(await apply({ certificate: { position: right }, body: { position: right } }), 'admitted')
  assert.equal(await apply({ certificate: {}, beacon, body: { position: right } }), 'admitted')
  assert.equal(await apply({ certificate: {} }), 'admitted', 'no beacon yet')
})
