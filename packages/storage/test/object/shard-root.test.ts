import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom, toHex } from '@weft/core'
import { merkleRoot } from '@weft/crypto'
import fc from 'fast-check'
import { shardRoot } from '../../src/object/shard-root.ts'

const bytes = seededRandom(4).bytes(300_000)

test('it is the RFC 9162 root of @weft/crypto, whatever the length and whatever was hashed before', () => {
  const lengths = fc.oneof(
    fc.integer({ min: 1, max: bytes.length }),
    fc.nat({ max: 73 }).chain((leaves) => fc.integer({ min: -1, max: 1 }).map((d) => Math.max(1, leaves * 4096 + d))),
  )
  fc.assert(
    fc.property(lengths, fc.nat({ max: 100 }), (length, from) => {
      const shard = bytes.subarray(from, from + length)
      assert.equal(toHex(shardRoot(shard)), toHex(merkleRoot(shard)))
    }),
    { numRuns: 200 },
  )
})

test('the longest shard fits; an empty or longer one is refused', () => {
  const longest = new Uint8Array(16 * 1024 * 1024)
  longest.set(bytes)
  assert.equal(toHex(shardRoot(longest)), toHex(merkleRoot(longest)))
  assert.throws(() => shardRoot(new Uint8Array(0)), RangeError)
  assert.throws(() => shardRoot(new Uint8Array(longest.length + 1)), RangeError)
})
