import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WeftError, concatBytes } from '@weft/core'
import fc from 'fast-check'
import { FrameParser, encodeFrame, varintLength, writeVarint } from '../src/index.ts'

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const out: Uint8Array[] = []
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % Math.max(1, sizes.length)] ?? bytes.length)
    out.push(bytes.subarray(at, at + size))
    at += size
  }
  return out
}

describe('frames', () => {
  it('come back whole and in order however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 10 }),
        (bodies, sizes) => {
          const parser = new FrameParser(300)
          const out: Uint8Array[] = []
          for (const chunk of cut(concatBytes(bodies.map(encodeFrame)), sizes)) {
            parser.push(chunk)
            for (let frame = parser.takeFrame(); frame !== undefined; frame = parser.takeFrame())
              out.push(frame.slice())
          }
          parser.end()
          assert.deepEqual(out, bodies)
          assert.equal(parser.buffered, 0)
        },
      ),
    )
  })

  it('are refused from their announced length, before the body arrives', () => {
    const parser = new FrameParser(100)
    parser.push(encodeFrame(new Uint8Array(101)).subarray(0, 1))
    assert.throws(() => parser.takeFrame(), { code: 'E_FRAME_TOO_LARGE' })
    const huge = new FrameParser(2 ** 31)
    huge.push(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x01))
    assert.throws(() => huge.takeFrame(), { code: 'E_FRAME_MALFORMED' })
    const padded = new FrameParser(100)
    padded.push(Uint8Array.of(0x81, 0x00, 0xff))
    assert.throws(() => padded.takeFrame(), { code: 'E_FRAME_MALFORMED' })
  })

  it('are held in few chunks however small the pieces are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5_000 })), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 4_096 }),
        (sizes, most) => {
          const body = new Uint8Array(40_000).map((_, at) => at)
          const parser = new FrameParser(body.length)
          const raw: Uint8Array[] = []
          for (const [at, chunk] of cut(encodeFrame(body), sizes).entries()) {
            parser.push(chunk)
            assert.ok(parser.chunks <= 2 + (2 * parser.buffered) / 4_096, `${parser.chunks} of ${parser.buffered}`)
            // What was handed out stays what it was while more arrives behind it.
            if (at % 7 === 3) raw.push(parser.takeRaw(most)!)
          }
          while (parser.buffered > 0) raw.push(parser.takeRaw(most)!)
          assert.deepEqual(concatBytes(raw), encodeFrame(body))
        },
      ),
      { numRuns: 30 },
    )
  })

  it('tell a stream that ended inside one', () => {
    const parser = new FrameParser(100)
    parser.push(encodeFrame(new Uint8Array(10)).subarray(0, 9))
    assert.equal(parser.takeFrame(), undefined)
    assert.throws(() => parser.end(), { code: 'E_FRAME_TRUNCATED' })
  })

  it('mix with raw bytes', () => {
    const parser = new FrameParser(100)
    parser.push(concatBytes([encodeFrame(Uint8Array.of(1)), Uint8Array.of(9, 9, 9), encodeFrame(Uint8Array.of(2))]))
    assert.deepEqual(parser.takeFrame(), Uint8Array.of(1))
    assert.deepEqual(parser.takeRaw(2), Uint8Array.of(9, 9))
    assert.deepEqual(parser.takeRaw(1), Uint8Array.of(9))
    assert.equal(parser.takeRaw(0), undefined)
    assert.deepEqual(parser.takeFrame(), Uint8Array.of(2))
  })

  it('survive any bytes with a frame within the limit or a WeftError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        const parser = new FrameParser(64)
        parser.push(bytes)
        try {
          for (let frame = parser.takeFrame(); frame !== undefined; frame = parser.takeFrame())
            assert.ok(frame.length <= 64)
        } catch (error) {
          assert.ok(error instanceof WeftError)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('varint', () => {
  it('has the length it says, and the bytes of protobuf', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), (value) => {
        const out = new Uint8Array(8)
        assert.equal(writeVarint(value, out, 0), varintLength(value))
      }),
    )
    const out = new Uint8Array(2)
    writeVarint(300, out, 0)
    assert.deepEqual(out, Uint8Array.of(0xac, 0x02))
  })
})
