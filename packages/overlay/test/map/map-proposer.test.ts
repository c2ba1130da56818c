import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, silentLogger } from '@weft/core'
import { CertificatePool } from '../../src/admission/certificate-pool.ts'
import { decodeMapBody } from '../../src/map/map-body.ts'
import { MapProposer } from '../../src/map/map-proposer.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { readAll } from '../admission/read-all.ts'
import { BEGIN, EPOCH, NO_BEACON, NO_REVOCATIONS, certificateOf, testNetwork } from '../fixtures.ts'

const fixture = testNetwork(4, 2)
const { network, keys } = fixture

test('a validator that was started again proposes no map before it has read who is a member', async () => {
  const store = new MemoryMembershipStore()
  const clock = new VirtualClock(BEGIN + 3 * EPOCH)
  const poolOf = () => new CertificatePool(network, store, clock, NO_REVOCATIONS)
  poolOf().offer([0, 1, 4, 5].map((index) => certificateOf(fixture, index)))
  const pool = poolOf()
  const proposer = new MapProposer({
    network,
    key: keys[0]!,
    pool,
    absences: { isAbsent: () => false },
    judge: { consider: () => [] },
    beacons: () => NO_BEACON,
    rpc: { call: () => Promise.reject(new TypeError('nobody is asked')) },
    clock,
    logger: silentLogger,
  })
  assert.ok(pool.get(keys[4]!.id) !== undefined, 'one is read already')
  assert.deepEqual([proposer.isReady(), proposer.propose(3)], [false, undefined])
  await readAll(pool, clock)
  assert.equal(proposer.isReady(), true)
  assert.equal(decodeMapBody(proposer.propose(3)!).count, 4)
})
