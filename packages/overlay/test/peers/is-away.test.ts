import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAway } from '../../src/peers/is-away.ts'
import { testKeys } from '../fixtures.ts'

test('away is who does not answer, not who is not asked', () => {
  const [{ id }] = testKeys(1) as [ReturnType<typeof testKeys>[0]]
  const status = { id, since: 0, rttMs: undefined }
  const fault = (code: string) => ({ code, cause: 'none', fix: 'none' })
  assert.equal(isAway({ ...status, state: 'connected', fault: undefined }), false)
  assert.equal(isAway({ ...status, state: 'connecting', fault: undefined }), false)
  assert.equal(isAway({ ...status, state: 'unreachable', fault: fault('E_NODE_UNREACHABLE') }), true)
  assert.equal(isAway({ ...status, state: 'unreachable', fault: fault('E_PEER_NOT_KEPT') }), false)
})
