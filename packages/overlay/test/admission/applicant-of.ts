import assert from 'node:assert/strict'
import { type Clock, isWeftError, seededRandom, silentLogger, systemRandom } from '@weft/core'
import { Applicant, type ApplicantInit } from '../../src/admission/applicant.ts'
import { BurstResponder } from '../../src/admission/measure/burst-responder.ts'
import { OwnBeaconKey } from '../../src/beacon/own-beacon-key.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { NO_BEACONS, NO_REVOCATIONS } from '../fixtures.ts'

type Given = Pick<ApplicantInit, 'network' | 'key' | 'profile' | 'rpc'> & { readonly clock: Clock }

/** An applicant that runs until it is disposed of; by default it remembers and offers nothing. */
export function applicantOf(init: Given & Partial<ApplicantInit>) {
  const applicant = new Applicant({
    beacons: NO_BEACONS,
    beaconKey: new OwnBeaconKey(init.network.id, init.key, systemRandom),
    offer: {},
    bursts: new BurstResponder(init.clock),
    database: new MemoryMembershipStore(),
    revocations: NO_REVOCATIONS,
    random: seededRandom(7),
    logger: silentLogger,
    onState: () => {},
    submitLocally: () => {},
    ...init,
  })
  const stop = new AbortController()
  let failure: unknown
  const running = applicant.run(stop.signal).catch((error: unknown) => {
    if (!isWeftError(error, 'E_ABORTED')) failure = error
  })
  return {
    applicant,
    stop,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
      assert.ifError(failure)
    },
  }
}
