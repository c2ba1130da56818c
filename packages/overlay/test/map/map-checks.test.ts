import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, silentLogger } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { SignedMapSchema, create } from '@weft/wire'
import { type MapBody, encodeMapBody } from '../../src/map/map-body.ts'
import { MAP_CHECKS } from '../../src/map/map-checks.ts'
import { mapRoot } from '../../src/map/map-entries.ts'
import { SignedMembership } from '../../src/map/signed-membership.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import {
  NO_BEACON,
  NO_REVOCATIONS,
  BEGIN,
  EPOCH,
  certificateOf,
  codeOf,
  temporaryDirectory,
  testNetwork,
} from '../fixtures.ts'

const fixture = testNetwork(4, 2)
const DAY = 86_400_000
const HELD = 100
const NOW = BEGIN + 200 * EPOCH + 10
const entries = [0, 1, 4]
  .map((index) => certificateOf(fixture, index))
  .sort((a, b) => Buffer.compare(a.body.key, b.body.key))
  .map(({ bodyBytes }) => bodyBytes)

interface Offer {
  readonly body?: Partial<MapBody>
  readonly signers?: readonly (SigningKey | undefined)[]
  readonly entries?: readonly Uint8Array[]
  /** ms since the Unix epoch, by the clock of the receiver. */
  readonly now?: number
}

function signedMap({ body, signers = fixture.keys.slice(0, 3) }: Offer) {
  const epoch = body?.epoch ?? 200
  const root = mapRoot(entries)
  const bytes = encodeMapBody({
    network: fixture.network.id,
    epoch,
    root,
    count: entries.length,
    signedAt: BEGIN + epoch * EPOCH,
    ...NO_BEACON,
    ...body,
  })
  const signatures = signers.map((key) => ({
    signer: key?.publicKey as Uint8Array,
    signature: key?.sign('map', bytes) as Uint8Array,
  }))
  return create(SignedMapSchema, { body: bytes, signatures })
}

/** Offers a map to a node that holds that of epoch 100 and has all checks but one. `adopted`, or the code of the refusal. */
async function offer(hostile: Offer, without?: string): Promise<string> {
  using directory = temporaryDirectory()
  using database = new MembershipDatabase(directory.path)
  const clock = new VirtualClock(BEGIN + HELD * EPOCH)
  const checks = MAP_CHECKS.filter(({ name }) => name !== without)
  const membership = new SignedMembership({
    revocations: NO_REVOCATIONS,
    network: fixture.network,
    database,
    clock,
    logger: silentLogger,
    checks,
  })
  membership.adopt(signedMap({ body: { epoch: HELD, root: mapRoot(entries.slice(1)), count: 2 } }), entries.slice(1))
  await clock.advance((hostile.now ?? NOW) - clock.now())
  const code = await codeOf(() => membership.adopt(signedMap(hostile), hostile.entries ?? entries))
  return membership.epoch === HELD ? code : 'adopted'
}

const HOSTILE: Record<string, { code: string; offer: Offer }[]> = {
  network: [{ code: 'E_NETWORK_MISMATCH', offer: { body: { network: testNetwork(1, 0).network.id }, entries: [] } }],
  newer: [{ code: 'E_MAP_OLD', offer: { body: { epoch: 99 } } }],
  'not-future': [
    { code: 'E_MAP_FUTURE', offer: { body: { epoch: 300 } } },
    { code: 'E_MAP_FUTURE', offer: { body: { signedAt: NOW + DAY } } },
  ],
  'not-ancient': [{ code: 'E_MAP_EXPIRED', offer: { now: NOW + 15 * DAY } }],
  quorum: [
    { code: 'E_MAP_QUORUM', offer: { signers: fixture.keys.slice(0, 2) } },
    { code: 'E_MAP_QUORUM', offer: { signers: [fixture.keys[0], fixture.keys[0], fixture.keys[1]] } },
    { code: 'E_MAP_QUORUM', offer: { signers: fixture.keys.slice(2, 6) } },
  ],
}

test('a right map is adopted', async () => {
  assert.equal(await offer({}), 'adopted')
})

test('every check of maps has a liar here', () => {
  assert.deepEqual(Object.keys(HOSTILE).toSorted(), MAP_CHECKS.map(({ name }) => name).toSorted())
})

for (const [name, cases] of Object.entries(HOSTILE)) {
  for (const [index, { code, offer: hostile }] of cases.entries()) {
    test(`check ${name}, case ${index + 1}: it refuses, and nothing else would`, async () => {
      assert.equal(await offer(hostile), code)
      // Entries of another network are refused by their own check; the head alone shows that this one was needed.
      const without = await offer(hostile, name)
      assert.equal(without, name === 'network' ? 'E_MAP_ENTRIES' : 'adopted')
    })
  }
}

test('entries that do not fit the signed root are refused, whatever else fits', async () => {
  assert.equal(await offer({ entries: entries.toReversed() }), 'E_MAP_ENTRIES')
  assert.equal(await offer({ entries: entries.slice(1) }), 'E_MAP_ENTRIES')
  assert.equal(await offer({ entries: [...entries, entries[0] as Uint8Array] }), 'E_MAP_ENTRIES')
  const changed = entries.map((entry) => entry.slice())
  const first = changed[0] as Uint8Array
  first[first.length - 1] = (first[first.length - 1] as number) ^ 1
  assert.equal(await offer({ entries: changed }), 'E_MAP_ENTRIES')
})

test('a root over unsorted entries is refused even when a quorum signed it', async () => {
  const reversed = entries.toReversed()
  assert.equal(await offer({ body: { root: mapRoot(reversed) }, entries: reversed }), 'E_MAP_ENTRIES')
})
