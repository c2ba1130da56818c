import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkChecked } from '../../src/health/network-checked.ts'
import { energyChecks } from '../../src/health/energy-check.ts'
import { FakeOverlay } from '../support/fake-overlay.ts'

const END = 1_800_000_000_000

test('energy that counts as declared, as its attestation ends before the certificate, is worth a word', () => {
  const overlay = new FakeOverlay('did:key:zself')
  const check = (energy: object | undefined) => energyChecks({ overlay, energy: energy as NetworkChecked['energy'] })
  const attested = (notAfter: number) => ({ evidence: 'attested', notAfter })
  overlay.admissionState = { state: 'certified', epoch: 1, expiresAt: END, inMap: true }
  assert.deepEqual(check(undefined), [])
  assert.deepEqual(check({ evidence: 'declared', carbon: 1 }), [])
  const [well] = check(attested(END))
  assert.deepEqual([well?.name, well?.fault, well?.notice], ['energy', undefined, undefined])
  const [short] = check(attested(END - 1_000))
  assert.equal(short?.fault, undefined)
  assert.equal(short?.notice?.code, 'E_ATTESTATION_SHORT')
  assert.match(short.notice.cause, /counts as declared until .* ends on 2027-01-15T07:59:59\.000Z, before/)
  overlay.admissionState = { state: 'applying', since: 1, votes: 0, quorum: 3, faults: [] }
  assert.deepEqual(check(attested(1)), [])
})
