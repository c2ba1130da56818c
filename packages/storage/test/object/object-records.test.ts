import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError, systemClock, toHex } from '@weft/core'
import { SigningKey, sha256 } from '@weft/crypto'
import { type MessageInitShape, ObjectHeadSchema, ObjectSegmentSchema, create, encodeMessage } from '@weft/wire'
import fc from 'fast-check'
import { SEGMENT_SIZE, sealedLength } from '../../src/object/object-layout.ts'
import { ObjectRecords } from '../../src/object/object-records.ts'
import { storageClass } from '../../src/object/storage-class.ts'
import { FakeRecords } from '../support/memory-network.ts'

const owner = new SigningKey(sha256(Uint8Array.of(1)))
const object = owner.publicKey
const expiresAt = 2_000_000_000_000
const tiny = storageClass('tiny')
const nodes = Array.from({ length: 9 }, (_, at) => new SigningKey(sha256(Uint8Array.of(2, at))))
const shards = nodes.map(({ id, publicKey }, index) => ({
  index,
  node: id,
  nodeKey: publicKey,
  root: sha256(Uint8Array.of(3, index)),
}))

function setUp(): { store: FakeRecords; records: ObjectRecords; plant: (salt: string, value: Uint8Array) => void } {
  const store = new FakeRecords()
  const plant = (salt: string, value: Uint8Array): void =>
    void store.values.set(`${toHex(object)}/${salt}`, { value, sequence: 1, expiresAt })
  return { store, records: new ObjectRecords(store, systemClock), plant }
}

const head = {
  version: 2,
  sealedLength: BigInt(sealedLength(1000)),
  className: 'tiny',
  k: 3,
  n: 9,
  segmentSize: SEGMENT_SIZE,
  segments: 1,
}
const segment = {
  version: 2,
  index: 0,
  length: 1016,
  shardLength: 339,
  roots: shards.map((shard) => shard.root),
  holders: shards.map((shard) => shard.nodeKey),
}

test('what is written is read', async () => {
  const { records } = setUp()
  await records.writeHead(owner, { class: tiny, sealed: sealedLength(1000) }, expiresAt)
  await records.writeSegment(owner, { index: 0, length: 1016, shardLength: 339, shards }, expiresAt)
  const read = await records.readHead(object)
  assert.deepEqual(read, {
    class: tiny,
    sealed: 1016,
    size: 1000,
    segments: 1,
    inline: undefined,
    sealKeys: new Uint8Array(0),
    expiresAt,
    copies: 1,
    quorum: true,
  })
  assert.deepEqual(await records.readSegment(object, read, 0), {
    index: 0,
    length: 1016,
    shardLength: 339,
    shards,
    quorum: true,
  })
})

test('a withdrawn object is not found any more, and cannot be written again', async () => {
  const { records } = setUp()
  await records.writeHead(owner, { class: tiny, sealed: 16, inline: new Uint8Array(16) }, expiresAt)
  await records.withdraw(owner, undefined)
  await assert.rejects(records.readHead(object), { code: 'E_OBJECT_NOT_FOUND' })
  await assert.rejects(records.writeHead(owner, { class: tiny, sealed: 16, inline: new Uint8Array(16) }, expiresAt))
})

test('a head that departs from the specification in one field is refused', async () => {
  const { records, plant } = setUp()
  const wrong = [
    { version: 1 },
    { sealedLength: 15n },
    { sealedLength: 2n ** 63n },
    { className: 'huge' },
    { k: 4 },
    { n: 8 },
    { segmentSize: 1 },
    { segments: 2 },
    { segments: 0 },
    { inline: new Uint8Array(1016) },
    { segments: 0, inline: new Uint8Array(1015) },
    { segments: 0, sealedLength: BigInt(sealedLength(4097)), inline: new Uint8Array(sealedLength(4097)) },
    { sealKeys: new Uint8Array(111) },
    { sealKeys: new Uint8Array(224) },
    { sealKeys: Uint8Array.from({ length: 17 * 112 }, (_, at) => at / 112) },
  ]
  for (const one of wrong) {
    plant('head', encodeMessage(ObjectHeadSchema, create(ObjectHeadSchema, { ...head, ...one })))
    await assert.rejects(records.readHead(object), (error) => isWeftError(error), JSON.stringify(Object.keys(one)))
  }
  plant('head', encodeMessage(ObjectHeadSchema, create(ObjectHeadSchema, head)))
  await records.readHead(object)
})

test('a segment that departs from the specification in one field is refused', async () => {
  const { records, plant } = setUp()
  plant('head', encodeMessage(ObjectHeadSchema, create(ObjectHeadSchema, head)))
  const read = await records.readHead(object)
  const wrong = [
    { version: 0 },
    { index: 1 },
    { length: 1015 },
    { shardLength: 340 },
    { roots: segment.roots.slice(1) },
    { holders: [...segment.holders, new Uint8Array(32)] },
    { roots: segment.roots.with(3, new Uint8Array(31)) },
    { holders: segment.holders.with(3, new Uint8Array(33)) },
    { holders: segment.holders.with(3, segment.holders[4]!) },
  ]
  for (const one of wrong) {
    plant('segment:0', encodeMessage(ObjectSegmentSchema, create(ObjectSegmentSchema, { ...segment, ...one })))
    await assert.rejects(
      records.readSegment(object, read, 0),
      { code: 'E_OBJECT_RECORD' },
      JSON.stringify(Object.keys(one)),
    )
  }
})

test('no bytes make a reader do anything but read or refuse', async () => {
  const { records, plant } = setUp()
  const good = encodeMessage(ObjectHeadSchema, create(ObjectHeadSchema, head))
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })).map(([at, byte]) => good.with(at, byte)),
  )
  await fc.assert(
    fc.asyncProperty(bytes, async (value) => {
      plant('head', value)
      try {
        const read = await records.readHead(object)
        assert.ok(read.segments <= 2 ** 20 && Number.isSafeInteger(read.size))
      } catch (error) {
        assert.ok(isWeftError(error), String(error))
      }
    }),
  )
})

test('a head that says that the object was removed, and more, is refused', async () => {
  const { records, plant } = setUp()
  const read = (head: MessageInitShape<typeof ObjectHeadSchema>): Promise<unknown> => {
    plant('head', encodeMessage(ObjectHeadSchema, create(ObjectHeadSchema, head)))
    return records.readHead(object)
  }
  await assert.rejects(read({ version: 2, removedAt: 5n }), { code: 'E_OBJECT_REMOVED' })
  const hostile = [
    { version: 1, removedAt: 5n },
    { version: 2, removedAt: 5n, className: 'tiny' },
    { version: 2, removedAt: 5n, inline: new Uint8Array(1) },
    { version: 2, removedAt: 8_640_000_000_000_001n },
    { version: 2, removedAt: 2n ** 64n - 1n },
  ]
  for (const head of hostile) await assert.rejects(read(head), { code: 'E_OBJECT_RECORD' })
})
