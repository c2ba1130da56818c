import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey } from '@weft/crypto'
import { leaseChecks } from '../../src/health/lease-check.ts'
import { FakeOverlay } from '../support/fake-overlay.ts'

const { id } = new SigningKey(new Uint8Array(32).fill(3))

test('who lends nothing is not looked at; a lease is told with who lists it', () => {
  const overlay = new FakeOverlay(id)
  assert.deepEqual(leaseChecks({ overlay }), [])
  overlay.leaseState = { state: 'held', uses: ['forward'], issuedEpoch: 3, expiresAt: 5, listedBy: 4 }
  assert.deepEqual(leaseChecks({ overlay }), [
    { name: 'lease', tried: 'held, and listed by 4 validators', fault: undefined },
  ])
})

test('a lease that is not given is a notice with what each validator says, and no fault of the node', () => {
  const overlay = new FakeOverlay(id)
  const faults = [{ validator: id, code: 'E_LEASE_LIMIT', cause: 'too many', fix: 'wait' }]
  overlay.leaseState = { state: 'asking', since: 1, votes: 2, quorum: 3, faults }
  const [check] = leaseChecks({ overlay })
  assert.equal(check?.fault, undefined)
  assert.equal(check?.notice?.code, 'E_LEASE_PENDING')
  assert.match(check?.notice?.cause ?? '', /^2 of the 3 validators .*E_LEASE_LIMIT: too many$/)
  assert.equal(check?.notice?.fix, 'wait')
  overlay.leaseState = { ...overlay.leaseState, faults: [] }
  assert.match(leaseChecks({ overlay })[0]?.notice?.fix ?? '', /Wait a moment/)
})
