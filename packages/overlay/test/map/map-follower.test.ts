import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, WeftError, seededRandom, silentLogger, wait } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { SignedMap } from '@weft/wire'
import { mapRoot } from '../../src/map/map-entries.ts'
import { MapFollower, type MapFollowerInit } from '../../src/map/map-follower.ts'
import { MapPages } from '../../src/map/map-pages.ts'
import { SignedMembership } from '../../src/map/signed-membership.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { networkOf } from '../../src/network/network.ts'
import type { MembershipStore } from '../../src/state/membership-store.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import {
  NO_REVOCATIONS,
  BEGIN,
  EPOCH,
  advance,
  certificateOf,
  temporaryDirectory,
  testKeys,
  testNetwork,
} from '../fixtures.ts'
import { signedMapOf } from './many-entries.ts'
import { MemoryNetwork } from '../memory-network.ts'

const fixture = testNetwork(4, 2)
const [slow, honest, , , , own] = fixture.keys.map(({ id }) => id) as [DidKey, DidKey, DidKey, DidKey, DidKey, DidKey]

/** A node that follows maps into the store given, ten epochs in. @param rest what it does in another way than to know no source */
function setUp(database: MembershipStore, rest: Partial<MapFollowerInit> = {}, known = fixture.network) {
  const clock = new VirtualClock(BEGIN + 10 * EPOCH)
  const network = new MemoryNetwork(clock)
  const membership = new SignedMembership({
    revocations: NO_REVOCATIONS,
    network: known,
    database,
    clock,
    logger: silentLogger,
  })
  const follower = new MapFollower({
    membership,
    rpc: network.add(own).rpc,
    connected: () => [],
    ownEntries: () => undefined,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    ...rest,
  })
  return { clock, network, membership, follower, signal: new AbortController().signal }
}

test('a source that is slow with its entries holds up no map', async () => {
  using directory = temporaryDirectory()
  using database = new MembershipDatabase(directory.path)
  const { clock, network, membership, follower, signal } = setUp(database, { connected: () => [slow, honest] })
  const entries = [0, 1, 2, 3]
    .map((index) => certificateOf(fixture, index))
    .toSorted((a, b) => Buffer.compare(a.body.key, b.body.key))
    .map(({ bodyBytes }) => bodyBytes)
  for (const id of [slow, honest]) {
    network.add(id).rpc.handle('map.entries', async ({ page }) => {
      if (id === slow) await wait(clock, 60_000)
      return { packed: new MapPages(entries).page(page) }
    })
  }
  const adopted = follower.offer(mapOf(entries, 9), slow, signal)
  await advance(clock, 3_000)
  assert.equal(await adopted, true)
  assert.equal(membership.epoch, 9)
  assert.equal(await follower.offer(mapOf(entries, 9), slow, signal), false)
})

test('a map whose entries are at hand is adopted while another is fetched', async () => {
  using directory = temporaryDirectory()
  using database = new MembershipDatabase(directory.path)
  const entries = [certificateOf(fixture, 0).bodyBytes]
  const others = [certificateOf(fixture, 1).bodyBytes]
  const { clock, network, membership, follower, signal } = setUp(database, {
    ownEntries: (root) => (Buffer.compare(root, mapRoot(entries)) === 0 ? entries : undefined),
  })
  network.add(slow).rpc.handle('map.entries', async () => {
    await wait(clock, 60_000)
    return {}
  })
  const fetching = follower.offer(mapOf(others, 8), slow, signal)
  assert.equal(await follower.offer(mapOf(entries, 9), slow, signal), true)
  await advance(clock, 60_000)
  assert.equal(await fetching, false)
  assert.equal(membership.epoch, 9)
})

test('what validators that are known signed is taken before a source may tell of others; what others signed, after it', async () => {
  const known = networkOf(fixture.network.file)
  const entries = [certificateOf(fixture, 0).bodyBytes]
  const [validator] = testKeys(1)
  let head = mapOf(entries, 8)
  const held: (number | undefined)[] = []
  const rest = {
    connected: () => [honest],
    followTerm: async (_: DidKey, number: number) => {
      held.push(membership.epoch)
      if (known.term.number >= number) return
      const seat = { id: validator!.id, addresses: ['/ip4/127.0.0.1/tcp/1'], family: 'one' }
      known.begin({ number, fromEpoch: 9, rotation: 0, validators: [seat] })
    },
    ownEntries: () => entries,
  }
  const { network, membership, follower, signal } = setUp(new MemoryMembershipStore(), rest, known)
  network.add(honest).rpc.handle('map.head', async () => ({ map: head, term: 1 }))
  assert.equal(await follower.pull(signal), true)
  assert.deepEqual([held, membership.epoch, known.term.number], [[8], 8, 1])
  head = signedMapOf(known, [validator!], entries, 9)
  assert.equal(await follower.pull(signal), true)
  assert.equal(membership.epoch, 9)
})

/** A map with these entries that a quorum signed. */
function mapOf(entries: readonly Uint8Array[], epoch: number): SignedMap {
  const { network, keys } = fixture
  return signedMapOf(network, keys.slice(0, network.quorum), entries, epoch)
}

test('a node whose sources are all of another network says so, until one of its own answers', async () => {
  using directory = temporaryDirectory()
  using database = new MembershipDatabase(directory.path)
  let answer: WeftError | undefined = new WeftError({
    code: 'E_NETWORK_MISMATCH',
    cause: 'It belongs to the network wother.',
    fix: 'x',
  })
  const { membership, follower, signal } = setUp(database, {
    rpc: { call: () => (answer === undefined ? Promise.resolve({ term: 0 } as never) : Promise.reject(answer)) },
    connected: () => [slow, honest],
  })
  assert.equal(membership.status().fault?.code, 'E_MAP_NONE')
  assert.equal(await follower.pull(signal), false)
  const { fault } = membership.status()
  assert.equal(fault?.code, 'E_NETWORK_MISMATCH')
  assert.match(fault.cause, /the network wother/)
  // What merely listens there says nothing of networks.
  answer = new WeftError({ ...answer.toJSON(), retryable: true })
  await follower.pull(signal)
  assert.equal(membership.status().fault?.code, 'E_MAP_NONE')
  answer = new WeftError({ ...answer.toJSON(), retryable: false })
  await follower.pull(signal)
  answer = undefined
  await follower.pull(signal)
  assert.equal(membership.status().fault?.code, 'E_MAP_NONE')
})
