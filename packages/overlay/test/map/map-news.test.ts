import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { VirtualClock, WeftError, equalBytes, seededRandom, silentLogger } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import {
  MAX_PUBSUB_MESSAGE,
  MapChangesSchema,
  MapNewsSchema,
  SignatureSchema,
  type SignedMap,
  create,
  encodeMessage,
} from '@weft/wire'
import { HeardMaps } from '../../src/map/heard-maps.ts'
import { judgeMapNews } from '../../src/map/judge-map-news.ts'
import { MapFollower } from '../../src/map/map-follower.ts'
import { decodeMapNews, encodeMapNews } from '../../src/map/map-news.ts'
import { packMessage } from '../../src/map/packed-message.ts'
import { SignedMembership } from '../../src/map/signed-membership.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { NO_REVOCATIONS, BEGIN, EPOCH, temporaryDirectory, testKeys, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'
import { ManyEntries, signedMapOf } from './many-entries.ts'

const fixture = testNetwork(4, 2)
const signers = fixture.keys.slice(0, fixture.network.quorum)
const [leader, own] = fixture.keys.slice(4).map(({ id }) => id) as [DidKey, DidKey]
const { signal } = new AbortController()

/** A leader and one that listens to it; both hold the map of epoch 1, and the leader that of epoch 2. */
class Listener implements Disposable {
  readonly many = new ManyEntries(fixture.network.id, 100)
  readonly leader: SignedMembership
  readonly own: SignedMembership
  readonly map: SignedMap
  readonly entries: readonly Uint8Array[]
  readonly before: Uint8Array
  /** Maps whose entries would be fetched. */
  readonly fetched: SignedMap[] = []
  /** A map that a validator held before it was told of it. */
  held: SignedMap | undefined
  readonly #heard = new HeardMaps()
  readonly #clock = new VirtualClock(BEGIN + 3 * EPOCH)
  readonly #directory = temporaryDirectory()
  readonly #databases: MembershipDatabase[] = []

  constructor(change: Parameters<ManyEntries['change']>[0], holds = true) {
    this.leader = this.#membership('leader')
    this.own = this.#membership('own')
    const first = this.many.entries()
    const map = signedMapOf(fixture.network, signers, first, 1)
    this.leader.adopt(map, first)
    if (holds) this.own.adopt(map, first)
    this.before = this.leader.heldList()?.root as Uint8Array
    this.many.change(change, 2)
    this.entries = this.many.entries()
    this.map = signedMapOf(fixture.network, signers, this.entries, 2)
    this.leader.adopt(this.map, this.entries)
  }

  judge(data: Uint8Array): ReturnType<typeof judgeMapNews> {
    const follower = new MapFollower({
      membership: this.own,
      rpc: new MemoryNetwork(this.#clock).add(own).rpc,
      connected: () => [],
      ownEntries: () => undefined,
      clock: this.#clock,
      random: seededRandom(1),
      logger: silentLogger,
    })
    const fetch = (map: SignedMap): void => void this.fetched.push(map)
    const isHeld = (map: SignedMap): boolean => this.held !== undefined && equalBytes(map.body, this.held.body)
    return judgeMapNews(
      {
        membership: this.own,
        follower,
        heard: this.#heard,
        isHeld,
        isOfOthers: (map) => this.own.isOfOthers(map),
        fetch,
        logger: silentLogger,
      },
      { data, from: leader },
      signal,
    )
  }

  #membership(name: string): SignedMembership {
    const database = new MembershipDatabase(`${this.#directory.path}/${name}`)
    this.#databases.push(database)
    return new SignedMembership({
      network: fixture.network,
      database,
      revocations: NO_REVOCATIONS,
      clock: this.#clock,
      logger: silentLogger,
    })
  }

  [Symbol.dispose](): void {
    for (const database of this.#databases) database[Symbol.dispose]()
    this.#directory[Symbol.dispose]()
  }
}

function news(
  map: SignedMap,
  from: Uint8Array,
  changes: { removed?: Uint8Array[]; entries?: Uint8Array[] },
): Uint8Array {
  const packed = packMessage(MapChangesSchema, changes)
  return encodeMessage(MapNewsSchema, create(MapNewsSchema, { map, from, packed }))
}

test('who holds the map before has the new one with the message that tells of it', async () => {
  using listener = new Listener({ renewed: 4, left: 1, come: 2 })
  const data = encodeMapNews(listener.leader, listener.map, listener.before)
  assert.equal(await listener.judge(data), 'accept')
  assert.equal(listener.own.epoch, 2)
  const bytes = listener.own.heldList()?.bytes() ?? []
  assert.ok(bytes.length === 101 && bytes.every((entry, at) => equalBytes(entry, listener.entries[at] as Uint8Array)))
  assert.equal(await listener.judge(data), 'ignore', 'the same again')
  assert.deepEqual(listener.fetched, [])
})

test('a validator that holds the map passes it on with the changes that it knows, and with no others', async () => {
  using listener = new Listener({ renewed: 4, left: 1, come: 2 })
  listener.own.adopt(listener.map, listener.entries)
  listener.held = listener.map
  const { map, before } = listener
  assert.equal(await listener.judge(encodeMapNews(listener.leader, map, before)), 'accept')
  assert.equal(await listener.judge(encodeMapNews(listener.leader, map, undefined)), 'accept')
  for (const changes of [{}, { entries: [new Uint8Array(64)] }, { removed: [new Uint8Array(32)] }])
    assert.equal(await listener.judge(news(map, before, changes)), 'ignore')
  assert.equal(await listener.judge(news(map, new Uint8Array(32), {})), 'ignore')
  assert.deepEqual(listener.fetched, [])
})

test('a map goes round once with its changes and once without them, however its message is written', async () => {
  for (const holds of [true, false]) {
    using listener = new Listener({ renewed: 4 }, false)
    const { map, before } = listener
    if (holds) {
      listener.own.adopt(map, listener.entries)
      listener.held = map
    }
    const turned = { ...map, signatures: map.signatures.toReversed() }
    const [told, bare] = [before, undefined].map((from) => encodeMapNews(listener.leader, map, from))
    const [toldAnew, bareAnew] = [before, undefined].map((from) => encodeMapNews(listener.leader, turned, from))
    // Who does not know the map before cannot tell these from true ones.
    const made = news(map, new Uint8Array(32), { removed: [new Uint8Array(32)] })
    const verdicts: string[] = []
    for (const data of [bare, bareAnew, told, toldAnew, made, told]) verdicts.push(await listener.judge(data!))
    assert.deepEqual(verdicts, ['accept', 'ignore', holds ? 'ignore' : 'accept', 'ignore', 'ignore', 'ignore'])
  }
})

test('changes of no form are refused by all, whatever they hold, and never read item by item', async () => {
  using member = new Listener({ renewed: 4, left: 1, come: 2 })
  using validator = new Listener({ renewed: 4 })
  validator.own.adopt(validator.map, validator.entries)
  validator.held = validator.map
  using newcomer = new Listener({ renewed: 4 }, false)
  const [low, high] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  for (const listener of [member, validator, newcomer]) {
    const { map, before } = listener
    const packed = (bytes: Uint8Array, from = before): Uint8Array =>
      encodeMessage(MapNewsSchema, create(MapNewsSchema, { map, from, packed: bytes }))
    // Very many empty items in a few bytes.
    for (const tag of [0x0a, 0x12]) {
      const bomb = new Uint8Array(160 * 1024).map((_, at) => (at % 2 === 0 ? tag : 0))
      assert.equal(await listener.judge(packed(new Uint8Array(zstdCompressSync(bomb)))), 'reject')
    }
    for (const changes of [
      { entries: [new Uint8Array(63)] },
      { removed: [new Uint8Array(31)] },
      { removed: [low, low] },
      { removed: [high, low] },
    ])
      assert.equal(await listener.judge(news(map, before, changes)), 'reject')
    assert.equal(await listener.judge(packed(Uint8Array.of(1, 2, 3))), 'reject')
    assert.equal(await listener.judge(news(map, before.subarray(1), {})), 'reject')
    assert.equal(await listener.judge(packed(new Uint8Array())), 'reject', 'a root, and no changes')
    const empty = { ...map, signatures: Array.from({ length: 65 }, () => create(SignatureSchema)) }
    assert.equal(await listener.judge(encodeMapNews(listener.leader, empty, undefined)), 'reject')
    assert.deepEqual(listener.fetched, [])
  }
})

test('who holds another map passes it on, and gets the entries in its own way', async () => {
  using listener = new Listener({ renewed: 4 }, false)
  assert.equal(await listener.judge(encodeMapNews(listener.leader, listener.map, listener.before)), 'accept')
  assert.equal(listener.own.epoch, undefined)
})

test('changes that do not lead to the signed root are passed on by nobody who can tell, and cost no neighbour its name', async () => {
  for (const changes of [{}, { entries: [new Uint8Array(64)] }, { removed: [new Uint8Array(32)] }]) {
    using listener = new Listener({ renewed: 4 })
    assert.equal(await listener.judge(news(listener.map, listener.before, changes)), 'ignore')
    assert.equal(listener.own.epoch, 1)
    assert.equal(listener.fetched.length, 1, 'the map itself is a true one')
  }
})

test('a map that nobody signed, no map, and any other bytes are refused', async () => {
  using listener = new Listener({ renewed: 1 })
  const { map, before } = listener
  const forged = create(MapNewsSchema, { map: { body: map.body, signatures: map.signatures.slice(1) } })
  assert.equal(await listener.judge(encodeMessage(MapNewsSchema, forged)), 'reject')
  assert.equal(await listener.judge(encodeMessage(MapNewsSchema, create(MapNewsSchema, { from: before }))), 'reject')
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
      assert.equal(await listener.judge(bytes), 'reject')
    }),
    { numRuns: 50 },
  )
})

test('the message tells of few changes only, and fits a topic', () => {
  using few = new Listener({ renewed: 50 })
  const told = encodeMapNews(few.leader, few.map, few.before)
  assert.ok(decodeMapNews(told).packed.length > 0)
  assert.equal(decodeMapNews(encodeMapNews(few.leader, few.map, undefined)).packed.length, 0)
  assert.equal(decodeMapNews(encodeMapNews(few.leader, few.map, new Uint8Array(32))).packed.length, 0)
  using many = new Listener({ come: 2_000 })
  const large = encodeMapNews(many.leader, many.map, many.before)
  assert.equal(decodeMapNews(large).packed.length, 0)
  assert.ok(told.length < MAX_PUBSUB_MESSAGE)
  assert.throws(() => decodeMapNews(new Uint8Array(MAX_PUBSUB_MESSAGE)), WeftError)
})

test('a map of validators of a term that is not known here costs no neighbour its name; one that is forged does', async () => {
  using listener = new Listener({ renewed: 4 })
  const others = signedMapOf(fixture.network, testKeys(4), listener.entries, 2)
  const told = encodeMapNews(listener.leader, others, undefined)
  assert.equal(await listener.judge(told), 'ignore')
  const [first] = listener.map.signatures
  const few = { ...listener.map, signatures: [first!] }
  assert.equal(await listener.judge(encodeMapNews(listener.leader, few, undefined)), 'reject')
  assert.equal(await listener.judge(encodeMapNews(listener.leader, { ...few, signatures: [] }, undefined)), 'reject')
  assert.deepEqual([listener.own.epoch, listener.fetched], [1, []])
})
