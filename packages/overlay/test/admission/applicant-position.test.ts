import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, WeftError, silentLogger, toHex } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import type { Certificate } from '@weft/wire'
import { decodeApplication } from '../../src/admission/application.ts'
import type { CertificateBody } from '../../src/admission/certificate-body.ts'
import { BeaconHistory } from '../../src/beacon/beacon-history.ts'
import { beaconPosition } from '../../src/beacon/beacon-position.ts'
import { beaconToWire } from '../../src/beacon/beacon-wire.ts'
import type { Beacon } from '../../src/beacon/beacon.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { BEGIN, EPOCH, addressOf, advance, profileOf, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'
import { applicantOf } from './applicant-of.ts'

const DAY = 24 * 3_600_000

/** Validators that vote for whatever is asked, and what they were asked for. */
function setUp(self = 4, strict = false) {
  const fixture = testNetwork(4, 1)
  const key = fixture.keys[self] as SigningKey
  const clock = new VirtualClock(BEGIN + 1_000)
  const network = new MemoryNetwork(clock)
  const store = new MemoryMembershipStore()
  const beacons = new BeaconHistory(store, silentLogger)
  const asked: CertificateBody[] = []
  const seen = new Set<string>()
  const submitted: Certificate[] = []
  const told: { beacon: Beacon | undefined } = { beacon: undefined }
  const node = network.add(key.id)
  for (const validator of fixture.keys.slice(0, 4)) {
    if (validator === key) continue
    const { rpc } = network.add(validator.id)
    rpc.handle('admission.apply', async ({ application }) => {
      const { body, bodyBytes } = decodeApplication(application?.payload as Uint8Array)
      if (strict && (body.position === undefined) !== (submitted.length === 0)) {
        throw new WeftError({ code: 'E_ADMISSION_POSITION', cause: 'why', fix: 'how', retryable: true })
      }
      const name = toHex(bodyBytes)
      // All validators are asked for the same.
      if (!seen.has(name)) asked.push(body)
      seen.add(name)
      return { vote: { signer: validator.publicKey, signature: validator.sign('vote', bodyBytes) } }
    })
    rpc.handle('admission.submit', async ({ certificate }) => {
      if (certificate !== undefined) submitted.push(certificate)
      return {}
    })
    rpc.handle('map.certificates', async () => ({ certificates: submitted.slice(-1) }))
    rpc.handle('beacon.get', async () => beaconToWire(told.beacon))
  }
  const start = (changes: Partial<ReturnType<typeof profileOf>> = {}, database: MemoryMembershipStore = store) => {
    return applicantOf({
      beacons,
      network: fixture.network,
      key,
      profile: { ...profileOf(fixture, self), ...changes },
      rpc: node.rpc,
      database,
      clock,
    })
  }
  return { key, clock, beacons, asked, told, start }
}

const beacon = (epoch: number, previous: number): Beacon => ({
  epoch,
  value: new Uint8Array(32).fill(epoch),
  previous,
})

test('the first certificate has no position; with the first beacon after it the node renews, and keeps what it got', async () => {
  const { key, clock, beacons, asked, start } = setUp()
  const right = { epoch: 1, value: beaconPosition(key.publicKey, beacon(1, -1).value) }
  await using first = start()
  await advance(clock, 2 * EPOCH)
  assert.equal(first.applicant.certificate?.body.position, undefined)
  assert.equal(asked.length, 1)
  beacons.note(beacon(1, -1))
  await advance(clock, EPOCH + 1)
  assert.deepEqual(asked[1]?.position, right)
  beacons.note(beacon(2, 1))
  await first[Symbol.asyncDispose]()
  const before = asked.length
  await using restarted = start()
  await advance(clock, 10)
  assert.equal(asked.length, before, 'the certificate of before the restart is as good')
  assert.deepEqual(restarted.applicant.certificate?.body.position, right)
  await restarted[Symbol.asyncDispose]()
  await advance(clock, EPOCH)
  await using moved = start({ addresses: [addressOf(40)] })
  await advance(clock, 10)
  assert.equal(asked.length, before + 1)
  assert.deepEqual(moved.applicant.certificate?.body.position, right, 'wherever it is reached')
  await advance(clock, DAY)
  assert.ok(asked.length > before + 1, 'renewed')
  for (const { position } of asked.slice(1)) assert.deepEqual(position, right)
})

test('a beacon that is not later than the certificate is no reason to renew', async () => {
  const { clock, beacons, asked, start } = setUp()
  await using _ = start()
  await advance(clock, 10)
  beacons.note(beacon(0, -1))
  await advance(clock, 3 * EPOCH)
  assert.equal(asked.length, 1)
})

test('whom the beacon passed by asks for it', async () => {
  const { key, clock, beacons, asked, told, start } = setUp()
  await using _ = start()
  await advance(clock, 10)
  told.beacon = beacon(1, -1)
  beacons.note(beacon(3, 2))
  await advance(clock, 2 * EPOCH)
  assert.deepEqual(asked[1]?.position, { epoch: 1, value: beaconPosition(key.publicKey, told.beacon.value) })
})

test('whoever asks is not told of another beacon, and goes on without a position', async () => {
  const { clock, beacons, asked, told, start } = setUp()
  await using _ = start()
  await advance(clock, 10)
  told.beacon = beacon(5, 2)
  beacons.note(beacon(3, 2))
  await advance(clock, 2 * EPOCH)
  assert.equal(asked[1]?.position, undefined)
})

test('a validator lists its beacon key, the same after a restart', async () => {
  const { clock, asked, start } = setUp(0)
  await using first = start()
  await advance(clock, 10)
  assert.equal(asked[0]?.beaconKey?.proof.length, 64)
  await first[Symbol.asyncDispose]()
  await using again = start()
  await advance(clock, EPOCH)
  assert.equal(asked.length, 1, 'another proof for the same key is no reason to apply')
  assert.deepEqual(again.applicant.certificate?.body.beaconKey, asked[0]?.beaconKey)
})

test('whoever lost its state learns from validators where it stands', async () => {
  const { key, clock, beacons, asked, start } = setUp(4, true)
  await using first = start()
  await advance(clock, 10)
  await first[Symbol.asyncDispose]()
  assert.equal(asked.length, 1)
  beacons.note(beacon(1, -1))
  await advance(clock, 2 * EPOCH)
  await using again = start({}, new MemoryMembershipStore())
  await advance(clock, EPOCH)
  const right = { epoch: 1, value: beaconPosition(key.publicKey, beacon(1, -1).value) }
  assert.deepEqual(again.applicant.certificate?.body.position, right)
})
