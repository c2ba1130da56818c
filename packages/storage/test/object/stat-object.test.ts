import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { isWeftError, seededRandom, systemClock, utf8 } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { ObjectHeadSchema, create, encodeMessage } from '@weft/wire'
import { SEGMENT_SIZE, segmentLength, shardLengthOf } from '../../src/object/object-layout.ts'
import { formatObjectRef } from '../../src/object/object-ref.ts'
import { ObjectRecords } from '../../src/object/object-records.ts'
import { storageClass } from '../../src/object/storage-class.ts'
import { MemoryNetwork } from '../support/memory-network.ts'
import { chunksOf, testCoding, testStorage } from '../support/test-storage.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

const random = seededRandom(7)
const stored = storageClass('tiny')
const HOUR = 3_600_000

/** The records of an object of whole segments; `holders` names the nodes of each, as often as they are asked for. */
async function record(
  network: MemoryNetwork,
  segments: number,
  holders?: (segment: number) => readonly Uint8Array[],
): Promise<string> {
  const owner = SigningKey.generate()
  const sealed = segments * SEGMENT_SIZE
  const head = { version: 2, sealedLength: BigInt(sealed), className: stored.name, k: stored.k, n: stored.n }
  const value = encodeMessage(
    ObjectHeadSchema,
    create(ObjectHeadSchema, { ...head, segmentSize: SEGMENT_SIZE, segments }),
  )
  const expiresAt = Date.now() + HOUR
  await network.records.putMutable({ owner, salt: utf8('head'), sequence: 1, expiresAt, value })
  const records = new ObjectRecords(network.records, systemClock)
  const written = holders === undefined ? 0 : segments
  for (let index = 0; index < written; index++) {
    const length = segmentLength(sealed, index)
    const shards = holders!(index).map((nodeKey, shard) => ({
      index: shard,
      node: 'did:key:z6Mk' as const,
      nodeKey,
      root: random.bytes(32),
    }))
    const segment = { index, length, shardLength: shardLengthOf(length, stored.k), shards }
    await records.writeSegment(owner, segment, expiresAt)
  }
  return formatObjectRef({ networkId: 'test-net', object: owner.publicKey, dataKey: undefined })
}

test('a head that names a million segments costs a window of reads', async () => {
  const network = new MemoryNetwork(stored.n)
  await using storage = testStorage(network.overlay(), { coding })
  const ref = await record(network, 2 ** 20 - 1)
  let reads = 0
  const getMutable = network.records.getMutable.bind(network.records)
  network.records.getMutable = async (...given) => {
    reads++
    return getMutable(...given)
  }
  await assert.rejects(storage.stat(ref), (error: unknown) => isWeftError(error, 'E_OBJECT_NOT_FOUND'))
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(reads <= 1 + 8, `${reads} reads`)
})

test('an object in its record tells how many copies were found, one with segments does not', async () => {
  const network = new MemoryNetwork(stored.n)
  await using storage = testStorage(network.overlay(), { coding })
  network.records.copies = 7
  const inline = await storage.put(chunksOf(random.bytes(100), 100))
  const { copies, segmentCount, health } = await storage.stat(inline.ref)
  assert.deepEqual([copies, segmentCount, health], [7, 0, 'healthy'])
  const whole = await storage.put(chunksOf(random.bytes(10_000), 10_000))
  assert.equal((await storage.stat(whole.ref)).copies, undefined)
})

test('a large object is looked at in pages, each judged by itself', async () => {
  const network = new MemoryNetwork(stored.n)
  await using storage = testStorage(network.overlay(), { coding })
  const keys = network.holders.map(({ key }) => key.publicKey)
  const ref = await record(network, 300, () => keys)
  const first = await storage.stat(ref)
  assert.deepEqual([first.segmentCount, first.segments.length, first.next, first.health], [300, 256, 256, 'lost'])
  const rest = await storage.stat(ref, { first: 256 })
  assert.deepEqual([rest.segments.length, rest.segments[0]?.index, rest.next], [44, 256, undefined])
  assert.match(rest.fault?.cause ?? '', /^Segment 256 /)
  await assert.rejects(storage.stat(ref, { first: 300 }), (error: unknown) => isWeftError(error, 'E_STAT_RANGE'))
})

test('segments that name ever new holders are cut to what 256 nodes can answer', async () => {
  const network = new MemoryNetwork(stored.n)
  const overlay = network.overlay()
  const asked = new Set<string>()
  await using storage = testStorage({
    ...overlay,
    streams: {
      ...overlay.streams,
      open: async (to, protocol, signal) => {
        asked.add(to)
        return overlay.streams.open(to, protocol, signal)
      },
    },
  })
  const ref = await record(network, 60, () => Array.from({ length: stored.n }, () => random.bytes(32)))
  const status = await storage.stat(ref)
  const fit = Math.floor(256 / stored.n)
  // Those that the records name, and as many of those that may stand in for them.
  assert.deepEqual([status.segments.length, status.next, asked.size], [fit, fit, 256])
})
