import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom, shuffled } from '@weft/core'
import { ReedSolomon } from '@weft/erasure'
import fc from 'fast-check'
import { decodeSegment } from '../../src/object/decode-segment.ts'
import { encodeSegment } from '../../src/object/encode-segment.ts'
import { FrameCipher } from '../../src/object/frame-cipher.ts'
import { sealedLength, shardLengthOf } from '../../src/object/object-layout.ts'
import { deriveObjectKeys, deriveShardKey } from '../../src/object/object-keys.ts'
import { sealShard } from '../../src/object/seal-shard.ts'
import { shardRoot } from '../../src/object/shard-root.ts'
import { STORAGE_CLASSES } from '../../src/object/storage-class.ts'
import { verifyShard } from '../../src/object/verify-shard.ts'

const object = new Uint8Array(32).fill(5)
const keys = deriveObjectKeys(new Uint8Array(32).fill(6), object)

function encode(plaintext: Uint8Array, k: number, n: number, segment: number, last: boolean) {
  const shardLength = shardLengthOf(sealedLength(plaintext.length), k)
  const nodes = Array.from({ length: n }, (_, at) => new Uint8Array(32).fill(100 + at))
  // Dirty buffers: what was in them before must not matter.
  const shards = Array.from({ length: n }, () => new Uint8Array(shardLength).fill(0xee))
  const roots: Uint8Array[] = []
  const cipher = new FrameCipher(keys)
  const code = new ReedSolomon(k, n)
  const onShard = (index: number, root: Uint8Array): void => void (roots[index] = root)
  encodeSegment({
    plaintext,
    segment,
    firstFrame: segment * 256,
    last,
    cipher,
    code,
    sealKey: keys.sealKey,
    object,
    nodes,
    shards,
    onShard,
  })
  return { nodes, shards, roots, cipher, code }
}

test('a root is that of the sealed bytes: whoever has no key can check a shard, and its holder can prove a part of it', () => {
  const { shards, roots } = encode(seededRandom(4).bytes(50_000), 3, 9, 2, true)
  for (const [index, shard] of shards.entries()) assert.deepEqual(roots[index], shardRoot(shard))
})

test('any k of n shards give the segment back, in every class', () => {
  const cases = fc.record({
    size: fc.oneof(fc.nat({ max: 70_000 }), fc.constantFrom(0, 1, 65_519, 65_520, 65_521, 200_000)),
    code: fc.constantFrom(...STORAGE_CLASSES),
    segment: fc.nat({ max: 3 }),
    last: fc.boolean(),
    seed: fc.nat(),
  })
  fc.assert(
    fc.property(cases, ({ size, code: { k, n }, segment, last, seed }) => {
      const random = seededRandom(seed)
      const plaintext = random.bytes(size)
      const { nodes, shards, roots, cipher, code } = encode(plaintext, k, n, segment, last)
      const chosen = new Set(shuffled(random, [...shards.keys()]).slice(0, k))
      const present = shards.map((shard, index) => {
        if (!chosen.has(index)) return undefined
        const copy = shard.slice()
        assert.ok(verifyShard(copy, { object, segment, index, node: nodes[index]! }, keys.sealKey, roots[index]!))
        return copy
      })
      const length = sealedLength(size)
      const opened = new Uint8Array(size)
      const job = { shards: present, code, cipher, length, firstFrame: segment * 256, last, plaintext: opened }
      decodeSegment(job)
      assert.equal(Buffer.compare(opened, plaintext), 0)
    }),
    { numRuns: 40 },
  )
})

test('missing shards are computed window by window, and the pieces fit together', () => {
  const plaintext = seededRandom(3).bytes(4_000_000)
  const { nodes, shards, roots, cipher, code } = encode(plaintext, 3, 9, 0, true)
  for (const there of [
    [0, 5, 8],
    [6, 7, 8],
    [1, 2, 3],
  ]) {
    const present = shards.map((shard, index) => {
      if (!there.includes(index)) return undefined
      const copy = shard.slice()
      assert.ok(verifyShard(copy, { object, segment: 0, index, node: nodes[index]! }, keys.sealKey, roots[index]!))
      return copy
    })
    const length = sealedLength(plaintext.length)
    const opened = new Uint8Array(plaintext.length)
    decodeSegment({ shards: present, code, cipher, length, firstFrame: 0, last: true, plaintext: opened })
    assert.equal(Buffer.compare(opened, plaintext), 0)
  }
})

test('a shard counts only at its place: those of other objects, segments, indices and nodes, and changed bytes, are refused', () => {
  const { nodes, shards, roots } = encode(seededRandom(1).bytes(20_000), 3, 9, 1, true)
  const place = { object, segment: 1, index: 4, node: nodes[4]! }
  const isRight = (shard: Uint8Array): boolean => verifyShard(shard.slice(), place, keys.sealKey, roots[4]!)
  const unsealed = shards[4]!.slice()
  assert.ok(verifyShard(unsealed, place, keys.sealKey, roots[4]!))
  // The same bytes as another place would keep them.
  const sealedFor = (over: Partial<typeof place>): Uint8Array => {
    const shard = unsealed.slice()
    sealShard(shard, deriveShardKey(keys.sealKey, { ...place, ...over }))
    return shard
  }
  assert.ok(isRight(sealedFor({})))
  assert.ok(!isRight(sealedFor({ object: new Uint8Array(32) })))
  assert.ok(!isRight(sealedFor({ segment: 0 })))
  assert.ok(!isRight(sealedFor({ index: 5 })))
  assert.ok(!isRight(sealedFor({ node: nodes[5]! })))
  assert.ok(!isRight(shards[5]!))
  assert.ok(!isRight(shards[4]!.slice(1)))
  fc.assert(
    fc.property(fc.nat({ max: shards[4]!.length - 1 }), fc.integer({ min: 1, max: 255 }), (where, flip) => {
      const changed = shards[4]!.slice()
      changed[where]! ^= flip
      assert.ok(!isRight(changed))
    }),
    { numRuns: 20 },
  )
})

test('segments in another order, or cut off at a segment, do not open', () => {
  const plaintext = seededRandom(2).bytes(5_000)
  const { nodes, shards, roots, cipher, code } = encode(plaintext, 3, 9, 1, false)
  const opened = shards.map((shard, index) => {
    verifyShard(shard, { object, segment: 1, index, node: nodes[index]! }, keys.sealKey, roots[index]!)
    return shard
  })
  const job = { shards: opened, code, cipher, length: sealedLength(5_000), plaintext: new Uint8Array(5_000) }
  decodeSegment({ ...job, firstFrame: 256, last: false })
  assert.equal(Buffer.compare(job.plaintext, plaintext), 0)
  assert.throws(() => decodeSegment({ ...job, firstFrame: 0, last: false }), { code: 'E_OBJECT_KEY' })
  assert.throws(() => decodeSegment({ ...job, firstFrame: 256, last: true }), { code: 'E_OBJECT_KEY' })
})
