import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf, codeOf } from '../../fixtures.ts'
import type { BeaconKeyEntry } from '../../../src/beacon/beacon-key.ts'
import { beaconKeyCheck } from '../../../src/admission/checks/beacon-key-check.ts'
import type { AdmissionCase } from '../../../src/admission/admission-check.ts'
import { fixture, validator, stranger } from '../apply.ts'
import { beaconKeyOf } from '../hostile/beacons.ts'

test('a validator lists the beacon key that it has the secret half of, and no other', async () => {
  const check = (beaconKey: BeaconKeyEntry): Promise<string> =>
    codeOf(() => {
      const body = bodyOf(fixture, 0, { beaconKey })
      const admission = { network: fixture.network, application: { body } } as AdmissionCase
      return beaconKeyCheck.run(admission, new AbortController().signal)
    })
  assert.equal(await check(beaconKeyOf(validator)), 'nothing')
  assert.equal(await check(beaconKeyOf(stranger)), 'E_BEACON_KEY')
})
