import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import { call } from '../support/http.ts'
import { startTestDaemon } from '../support/test-daemon.ts'

test('when no validator answers, the own lease is told all the same, and why the list may lack others', async (t) => {
  const { socket: socketPath, overlay } = await startTestDaemon(t)
  overlay.leaseState = { state: 'asking', since: 5, votes: 1, quorum: 3, faults: [] }
  overlay.leases = () =>
    Promise.reject(new WeftError({ code: 'E_LEASE_LIST', cause: 'why', fix: 'how', retryable: true }))
  const answer = await call({ socketPath, path: '/api/v1/leases' })
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.json(), {
    schemaVersion: 1,
    own: { state: 'asking', since: 5, votes: 1, quorum: 3, faults: [] },
    leases: [],
    fault: { code: 'E_LEASE_LIST', cause: 'why', fix: 'how' },
  })
})

test('any other failure is one of the request', async (t) => {
  const { socket: socketPath, overlay } = await startTestDaemon(t)
  overlay.leases = () => Promise.reject(new Error('boom'))
  const answer = await call({ socketPath, path: '/api/v1/leases' })
  assert.equal(answer.status, 500)
})
