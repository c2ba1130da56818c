import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeMap } from '../../src/routes/describe-map.ts'
import { FakeOverlay } from '../support/fake-overlay.ts'

test('the beacon of the map is told in hex, as its root is', () => {
  const overlay = new FakeOverlay('did:key:zself')
  assert.deepEqual(describeMap(overlay).beacon, { epoch: 5, previous: 4, value: '0c'.repeat(32) })
  overlay.mapStatus = { ...overlay.mapStatus, beacon: undefined }
  assert.equal('beacon' in JSON.parse(JSON.stringify(describeMap(overlay))), false)
})
