import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  FRAME_PLAINTEXT,
  SEGMENT_PLAINTEXT,
  SEGMENT_SIZE,
  plaintextLength,
  sealedLength,
  segmentCount,
  segmentLength,
  shardLengthOf,
} from '../../src/object/object-layout.ts'

const sizes = fc.oneof(
  fc.nat({ max: 2 ** 20 }),
  fc.nat({ max: 2 ** 40 }),
  fc.nat({ max: 100 }).chain((n) => fc.integer({ min: -2, max: 2 }).map((d) => Math.max(0, n * FRAME_PLAINTEXT + d))),
  fc.nat({ max: 9 }).chain((n) => fc.integer({ min: -2, max: 2 }).map((d) => Math.max(0, n * SEGMENT_PLAINTEXT + d))),
)

test('the length of the plaintext follows from the sealed length and back', () => {
  fc.assert(fc.property(sizes, (size) => assert.equal(plaintextLength(sealedLength(size)), size)))
})

test('a sealed length that no plaintext has is refused', () => {
  fc.assert(
    fc.property(sizes, (sealed) => {
      const size = plaintextLength(sealed)
      if (size !== undefined) assert.equal(sealedLength(size), sealed)
    }),
  )
  for (const sealed of [0, 15, 65_536 + 16, -1, Number.NaN, Infinity]) assert.equal(plaintextLength(sealed), undefined)
})

test('segments cover the sealed object exactly, and k shards cover each segment', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 30 }), fc.integer({ min: 1, max: 30 }), (size, k) => {
      const sealed = sealedLength(size)
      let sum = 0
      for (let i = 0; i < segmentCount(sealed); i++) {
        const length = segmentLength(sealed, i)
        assert.ok(length > 0 && length <= SEGMENT_SIZE)
        assert.ok(k * shardLengthOf(length, k) >= length && k * (shardLengthOf(length, k) - 1) < length)
        sum += length
      }
      assert.equal(sum, sealed)
    }),
    { numRuns: 50 },
  )
})
