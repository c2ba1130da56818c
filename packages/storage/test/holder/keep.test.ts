import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom, systemClock } from '@weft/core'
import { type DidKey, SigningKey, sha256 } from '@weft/crypto'
import type { Overlay } from '@weft/overlay'
import { judgeKeeps } from '../../src/holder/keep-judge.ts'
import { authorizeRemove } from '../../src/holder/shard-authorization.ts'
import { sealedLength, segmentLength, shardLengthOf } from '../../src/object/object-layout.ts'
import { ObjectRecords } from '../../src/object/object-records.ts'
import { shardRoot } from '../../src/object/shard-root.ts'
import { storageClass } from '../../src/object/storage-class.ts'
import { standIns } from '../../src/placement/stand-ins.ts'
import { FakeRecords, memberAt } from '../support/memory-network.ts'
import { type Fixture, MiB, holderFixture, rejects } from './holder-fixture.ts'
import { got, later } from './shards.ts'

const tiny = storageClass('tiny')
const sealed = sealedLength(30_000)
const length = shardLengthOf(segmentLength(sealed, 0), tiny.k)
const random = seededRandom(2)

interface World {
  readonly fixture: Fixture
  readonly object: SigningKey
  readonly shards: readonly Uint8Array[]
  /** Holders that the owner chose, by index. */
  readonly named: readonly SigningKey[]
  /** Ids in the map. */
  readonly members: Set<string>
  readonly records: FakeRecords
  readonly expiresAt: number
}

/** A holder that is in the map with those that hold an object; it is one of them itself where `own` is its index. */
async function world(own?: number, quotaBytes = 64 * MiB): Promise<World> {
  const key = SigningKey.generate()
  const object = new SigningKey(random.bytes(32))
  const named = Array.from({ length: tiny.n }, (_, at) => (at === own ? key : new SigningKey(random.bytes(32))))
  const shards = named.map(() => random.bytes(length))
  const records = new FakeRecords()
  const objects = new ObjectRecords(records, systemClock)
  const expiresAt = later()
  const places = named.map(({ id, publicKey }, index) => ({
    index,
    node: id,
    nodeKey: publicKey,
    root: shardRoot(shards[index]!),
  }))
  const segment = { index: 0, length: segmentLength(sealed, 0), shardLength: length, shards: places }
  await objects.writeSegment(object, segment, expiresAt)
  await objects.writeHead(object, { class: tiny, sealed }, expiresAt)
  const peer = SigningKey.generate()
  const members = new Set<string>([key.id, peer.id, ...named.map(({ id }) => id)])
  const overlay = {
    self: key.id,
    membership: {
      isMember: (id: string) => members.has(id),
      members: () => [...members].map((id, at) => memberAt(id as DidKey, at)),
    },
  } as unknown as Overlay
  const fixture = await holderFixture({
    key,
    quotaBytes,
    isMember: (id) => members.has(id),
    judgeKeep: judgeKeeps(overlay, objects),
  })
  return { fixture, object, shards, named, members: members.add(fixture.peer.id), records, expiresAt }
}

const nameOf = (object: SigningKey, index = 0, segment = 0) => ({ object: object.publicKey, segment, index })

describe('a holder in the place of another', () => {
  it('keeps the very shard of one that left the map as long as the object lasts, through a restart', async () => {
    const { fixture, object, shards, named, members, expiresAt } = await world()
    await using _ = fixture
    members.delete(named[4]!.id)
    await fixture.connect().keep(nameOf(object, 4), shards[4]!)
    await fixture.restart()
    assert.deepEqual(await got(fixture, object.publicKey, 0, 4, length), shards[4])
    const { until } = await fixture.connect().remove(authorizeRemove(object, 0))
    assert.equal(until, expiresAt)
  })

  it('takes it from its own holder, that leaves, while this one is still in the map', async () => {
    const { fixture, object, shards, named } = await world()
    await using _ = fixture
    await fixture.connect(named[4]).keep(nameOf(object, 4), shards[4]!)
    assert.deepEqual(await got(fixture, object.publicKey, 0, 4, length), shards[4])
  })

  it('takes its own shard again from anyone in the map', async () => {
    const { fixture, object, shards } = await world(2)
    await using _ = fixture
    await fixture.connect().keep(nameOf(object, 2), shards[2]!)
    assert.deepEqual(await got(fixture, object.publicKey, 0, 2, length), shards[2])
    await rejects(fixture.connect().keep(nameOf(object, 2), shards[2]!), 'E_SHARD_EXISTS')
  })

  it('refuses any bytes but those that the owner signed, and leaves nothing of them', async () => {
    const { fixture, object, shards, named, members } = await world()
    await using _ = fixture
    members.delete(named[4]!.id)
    await using client = fixture.connect()
    for (const wrong of [shards[3]!, shards[4]!.slice(1), shards[4]!.map((byte, at) => (at === 9 ? byte ^ 1 : byte))]) {
      await rejects(client.keep(nameOf(object, 4), wrong), 'E_SHARD_CORRUPT')
    }
    assert.equal(fixture.holder.held().shards, 0)
    // The stream goes on, and the place is free.
    await client.keep(nameOf(object, 4), shards[4]!)
  })

  it('refuses the shard of a holder that is in the map, and one that is none', async () => {
    const { fixture, object, shards, named, members } = await world()
    await using _ = fixture
    await using client = fixture.connect()
    await rejects(client.keep(nameOf(object, 4), shards[4]!), 'E_SHARD_PLACE')
    members.delete(named[4]!.id)
    await rejects(client.keep(nameOf(object, 9), shards[4]!), 'E_SHARD_PLACE')
    await rejects(client.keep(nameOf(object, 4, 1), shards[4]!), 'E_SHARD_PLACE')
    await rejects(client.keep(nameOf(new SigningKey(sha256(Uint8Array.of(1)))), shards[4]!), 'E_OBJECT_NOT_FOUND')
    assert.equal(fixture.holder.held().shards, 0)
  })

  it('keeps one shard of a segment', async () => {
    const { fixture, object, shards, named, members } = await world()
    await using _ = fixture
    for (const at of [3, 4]) members.delete(named[at]!.id)
    await fixture.connect().keep(nameOf(object, 3), shards[3]!)
    await rejects(fixture.connect().keep(nameOf(object, 4), shards[4]!), 'E_SHARD_PLACE')
  })

  it('keeps another once the holder of the first is back', async () => {
    const { fixture, object, shards, named, members } = await world()
    await using _ = fixture
    for (const at of [3, 4]) members.delete(named[at]!.id)
    await fixture.connect().keep(nameOf(object, 3), shards[3]!)
    members.add(named[3]!.id)
    await fixture.connect().keep(nameOf(object, 4), shards[4]!)
  })

  it('refuses where eight others come first', async () => {
    const { fixture, object, shards, named, members } = await world()
    await using _ = fixture
    members.delete(named[4]!.id)
    const self = [...members][0]!
    const chosen = new Set(named.map(({ id }) => id))
    const isIn = (): boolean =>
      standIns(
        nameOf(object, 4),
        chosen,
        [...members].map((id) => ({ id: id as DidKey })),
      ).some((id) => id === self)
    while (isIn()) members.add(SigningKey.generate().id)
    await rejects(fixture.connect().keep(nameOf(object, 4), shards[4]!), 'E_SHARD_PLACE')
  })

  it('refuses what was removed, and what it cannot be sure was not', async () => {
    const { fixture, object, shards, named, members, records, expiresAt } = await world()
    await using _ = fixture
    members.delete(named[4]!.id)
    records.quorum = false
    await rejects(fixture.connect().keep(nameOf(object, 4), shards[4]!), 'E_SHARD_PLACE')
    records.quorum = true
    await new ObjectRecords(records, systemClock).writeRemoved(object, 1, expiresAt)
    await rejects(fixture.connect().keep(nameOf(object, 4), shards[4]!), 'E_OBJECT_REMOVED')
  })

  it('takes it from a stranger, too, as a part of what strangers may have', async () => {
    const worlds = [await world(undefined, 100_000), await world(), await world()]
    const [{ fixture, members, records, named }] = worlds as [World, World, World]
    await using _ = fixture
    for (const other of worlds.slice(1)) {
      await other.fixture[Symbol.asyncDispose]()
      for (const [key, value] of other.records.values) records.values.set(key, value)
    }
    for (const { id } of named) members.delete(id)
    const stranger = SigningKey.generate()
    const keep = (from: SigningKey, { object, shards }: World) => fixture.connect(from).keep(nameOf(object), shards[0]!)
    await keep(stranger, worlds[0]!)
    await keep(stranger, worlds[1]!)
    await rejects(keep(stranger, worlds[2]!), 'E_QUOTA')
    await keep(fixture.peer, worlds[2]!)
  })

  it('takes two at once', async () => {
    const worlds = await Promise.all([world(), world(), world()])
    const [first] = worlds
    await using _ = first.fixture
    for (const { fixture } of worlds.slice(1)) await fixture[Symbol.asyncDispose]()
    for (const { object, records } of worlds.slice(1)) {
      assert.notEqual(object.id, first.object.id)
      for (const [key, value] of records.values) first.records.values.set(key, value)
    }
    // Nobody else may come first.
    for (const { id } of first.named) first.members.delete(id)
    const gate = Promise.withResolvers<void>()
    const getMutable = first.records.getMutable.bind(first.records)
    let waiting = 0
    const both = Promise.withResolvers<void>()
    first.records.getMutable = async (...args) => {
      if (++waiting === 2) both.resolve()
      await gate.promise
      return getMutable(...args)
    }
    const keep = ({ object, shards }: World) => first.fixture.connect().keep(nameOf(object), shards[0]!)
    const running = worlds.slice(0, 2).map(keep)
    await both.promise
    await rejects(keep(worlds[2]), 'E_BUSY')
    gate.resolve()
    await Promise.all(running)
    await keep(worlds[2])
    assert.equal(first.fixture.holder.held().shards, 3)
  })

  it('without a judge keeps nothing', async () => {
    await using fixture = await holderFixture()
    await rejects(fixture.connect().keep(nameOf(SigningKey.generate()), random.bytes(9)), 'E_SHARD_PLACE')
  })
})
