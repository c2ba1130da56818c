import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { FRAME_BYTES, FrameReader, writeFrame } from '../../src/carriage/frame-reader.ts'

function frames(packets: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(packets.length * FRAME_BYTES)
  for (const [at, packet] of packets.entries()) writeFrame(bytes, at * FRAME_BYTES, packet)
  return bytes
}

test('packets come whole, however the bytes are cut', () => {
  const packets = Array.from({ length: 7 }, () => new Uint8Array(randomBytes(1440)))
  const bytes = frames(packets)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 20 }), (cuts) => {
      const reader = new FrameReader()
      const got: Uint8Array[] = []
      const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
      for (const [i, from] of at.entries())
        assert.ok(reader.read(bytes.subarray(from, at[i + 1]), (packet) => got.push(packet.slice())))
      assert.deepEqual(got, packets)
    }),
  )
})

test('a length that is none of a packet ends it, as soon as it is there', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 0, max: 3 }), (length, before) => {
      fc.pre(length !== 1440)
      const good = frames(Array.from({ length: before }, () => new Uint8Array(1440)))
      const bad = Uint8Array.of(length >> 8, length & 255)
      let count = 0
      const read = (bytes: Uint8Array): boolean => reader.read(bytes, () => count++)
      let reader = new FrameReader()
      assert.equal(read(Buffer.concat([good, bad])), false)
      assert.equal(count, before)
      reader = new FrameReader()
      assert.ok(read(good))
      assert.ok(read(bad.subarray(0, 1)))
      assert.equal(read(bad.subarray(1)), false)
    }),
  )
})
