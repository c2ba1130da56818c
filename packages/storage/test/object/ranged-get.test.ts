import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { seededRandom } from '@weft/core'
import fc from 'fast-check'
import { FRAME_PLAINTEXT, SEGMENT_PLAINTEXT } from '../../src/object/object-layout.ts'
import { rangeInSegment, segmentsOf } from '../../src/object/segment-range.ts'
import { MemoryNetwork } from '../support/memory-network.ts'
import { chunksOf, readAll, testCoding, testStorage } from '../support/test-storage.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

const random = seededRandom(3)

function bytesOf(size: number): Uint8Array {
  const pattern = random.bytes(99_991)
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += pattern.length) bytes.set(pattern.subarray(0, size - at), at)
  return bytes
}

/** Three segments, one frame, what lies in its record. */
const SIZES = [2 * SEGMENT_PLAINTEXT + 70_000, 60_000, 1_000]

test('a range has the bytes that the whole has there, with holders gone, and asks for no other segment', async () => {
  const network = new MemoryNetwork(9)
  await using storage = testStorage(network.overlay(), { coding })
  const objects: { readonly ref: string; readonly whole: Uint8Array }[] = []
  for (const size of SIZES) {
    const { ref } = await storage.put(chunksOf(bytesOf(size), 65_536))
    objects.push({ ref, whole: await readAll((await storage.get(ref)).body) })
  }
  for (const at of [0, 3, 5]) network.holders[at]!.kill()
  const edges = [0, 1, 65_519, 65_520, 65_521, SEGMENT_PLAINTEXT - 1, SEGMENT_PLAINTEXT, 2 * SEGMENT_PLAINTEXT]
  const object = fc.nat({ max: 2 })
  const offset = fc.oneof(fc.constantFrom(...edges), fc.nat({ max: SIZES[0]! + 10 }))
  const length = fc.oneof(fc.constantFrom(1, 65_520, 65_521), fc.integer({ min: 1, max: 300_000 }))
  await fc.assert(
    fc.asyncProperty(object, offset, length, async (at, from, count) => {
      const { ref, whole } = objects[at]!
      const range = { offset: from, length: count }
      if (from >= whole.length) {
        await assert.rejects(storage.get(ref, { range }), { code: 'E_RANGE' })
        return
      }
      const before = network.holders.reduce((sum, holder) => sum + holder.gets, 0)
      const seen: number[] = []
      const onProgress = ({ bytes, total }: { bytes: number; total: number | undefined }) => seen.push(bytes, total!)
      const { size, body } = await storage.get(ref, { range, onProgress })
      const expected = whole.subarray(from, from + count)
      assert.equal(size, whole.length)
      assert.equal(Buffer.compare(await readAll(body), expected), 0)
      assert.deepEqual(seen.slice(-2), [expected.length, expected.length])
      const { first, end } = segmentsOf({ offset: from, length: expected.length })
      const asked = network.holders.reduce((sum, holder) => sum + holder.gets, 0) - before
      assert.ok(asked <= (whole.length <= 4096 ? 0 : 3 * (end - first)), `${asked} shards of ${end - first} segments`)
    }),
    { numRuns: 40 },
  )
})

test('a range that is none is refused', async () => {
  const network = new MemoryNetwork(9)
  await using storage = testStorage(network.overlay(), { coding })
  const { ref } = await storage.put(chunksOf(bytesOf(10), 10))
  const empty = await storage.put(chunksOf(new Uint8Array(0), 1))
  for (const range of [
    { offset: 10, length: 1 },
    { offset: -1, length: 1 },
    { offset: 0, length: 0 },
    { offset: 0.5, length: 1 },
    { offset: 0, length: NaN },
  ]) {
    await assert.rejects(storage.get(ref, { range }), { code: 'E_RANGE', details: { ...range, size: 10 } })
  }
  await assert.rejects(storage.get(empty.ref, { range: { offset: 0, length: 1 } }), { code: 'E_RANGE' })
})

test('a corrupted shard of the segment that the range lies in is found as in a whole get', async () => {
  const network = new MemoryNetwork(9)
  await using storage = testStorage(network.overlay(), { coding })
  const whole = bytesOf(100_000)
  const { ref } = await storage.put(chunksOf(whole, 65_536))
  const shards = network.holders.map((holder) => [...holder.shards.values()][0]!)
  for (const shard of shards.slice(0, 6)) shard.bytes[0]! ^= 1
  const range = { offset: 70_000, length: 5 }
  const { body } = await storage.get(ref, { range })
  assert.deepEqual([...(await readAll(body))], [...whole.subarray(70_000, 70_005)])
  shards[7]!.bytes[0]! ^= 1
  await assert.rejects(
    storage.get(ref, { range }).then((reader) => readAll(reader.body)),
    {
      code: 'E_SHARDS_MISSING',
    },
  )
})

test('only the frames that a range touches are opened', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 3 }),
      fc.integer({ min: 1, max: SEGMENT_PLAINTEXT }),
      fc.nat(),
      fc.nat(),
      (index, plaintext, a, b) => {
        const from = index * SEGMENT_PLAINTEXT + (a % plaintext)
        const length = 1 + (b % (plaintext - (a % plaintext)))
        const { frames, bytes, start, end } = rangeInSegment({ offset: from, length }, index, plaintext)
        assert.equal(end - start, length)
        assert.ok(start < FRAME_PLAINTEXT && bytes - end < FRAME_PLAINTEXT)
        assert.equal(frames.first, Math.floor((a % plaintext) / FRAME_PLAINTEXT))
        assert.ok(bytes <= (frames.end - frames.first) * FRAME_PLAINTEXT)
      },
    ),
  )
})
