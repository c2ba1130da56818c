import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { expand_message_xmd } from '@noble/curves/abstract/hash-to-curve.js'
import { concatBytes, seededRandom, utf8 } from '@weft/core'
import fc from 'fast-check'
import { expandMessage, hashToScalar, hashToScalars } from '../../src/beacon/hash-to-scalars.ts'
import {
  ORDER,
  addScalars,
  fromScalar,
  invertPublic,
  isScalar,
  mod,
  multiplyByPublic,
  randomScalar,
  reduceWide,
  subtractScalars,
  toScalar,
} from '../../src/beacon/scalar.ts'

/** SHA-512 in the shape that the other implementation takes it. */
const sha512 = Object.assign((bytes: Uint8Array) => new Uint8Array(createHash('sha512').update(bytes).digest()), {
  outputLen: 64,
  blockLen: 128,
}) as unknown as Parameters<typeof expand_message_xmd>[3]

const value = fc.oneof(fc.bigInt({ min: 0n, max: ORDER - 1n }), fc.constantFrom(0n, 1n, ORDER - 1n, 2n ** 252n))

describe('scalars', () => {
  it('are added, subtracted, multiplied and inverted modulo the order', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [x, y] = [toScalar(a), toScalar(b)]
        assert.equal(fromScalar(addScalars(x, y)), mod(a + b))
        assert.equal(fromScalar(subtractScalars(x, y)), mod(a - b))
        assert.equal(fromScalar(multiplyByPublic(x, b)), mod(a * b))
        if (a !== 0n) assert.equal(mod(invertPublic(a) * a), 1n)
      }),
    )
    assert.throws(() => invertPublic(ORDER), RangeError)
  })

  it('are reduced from 64 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (wide) => {
        assert.equal(fromScalar(reduceWide(wide)), BigInt(`0x${wide.toReversed().toHex()}`) % ORDER)
      }),
    )
    assert.throws(() => reduceWide(new Uint8Array(32)), RangeError)
  })

  it('have one encoding', () => {
    assert.ok(isScalar(toScalar(ORDER - 1n)))
    assert.ok(isScalar(toScalar(0n)))
    const order = Uint8Array.fromHex(ORDER.toString(16).padStart(64, '0')).reverse()
    assert.ok(!isScalar(order))
    assert.ok(!isScalar(new Uint8Array(32).fill(255)))
    assert.ok(!isScalar(new Uint8Array(31)))
    assert.ok(!isScalar(new Uint8Array(33)))
  })

  it('are refused in another length, which native code would not survive', () => {
    for (const length of [0, 31, 33]) {
      assert.throws(() => addScalars(new Uint8Array(length), toScalar(1n)), RangeError)
      assert.throws(() => subtractScalars(toScalar(1n), new Uint8Array(length)), RangeError)
      assert.throws(() => multiplyByPublic(new Uint8Array(length), 3n), RangeError)
    }
  })

  it('are drawn from all of the range', () => {
    const random = seededRandom(3)
    const drawn = Array.from({ length: 200 }, () => fromScalar(randomScalar(random)))
    assert.equal(new Set(drawn).size, drawn.length)
    assert.ok(drawn.every((scalar) => scalar < ORDER))
    // Of uniform ones about half lie in each half; 200 coins are not further than 60 off.
    const low = drawn.filter((scalar) => scalar < ORDER / 2n).length
    assert.ok(low > 40 && low < 160)
  })
})

describe('hashing to scalars', () => {
  it('expands as RFC 9380 says, by an independent implementation', () => {
    const domain = fc.stringMatching(/^[a-z:-]{16,40}$/)
    const parts = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 })
    fc.assert(
      fc.property(domain, parts, fc.integer({ min: 1, max: 2000 }), (name, list, length) => {
        assert.deepEqual(
          expandMessage(name, list, length),
          new Uint8Array(expand_message_xmd(concatBytes(list), utf8(name), length, sha512)),
        )
      }),
    )
  })

  it('gives one scalar as it gives the first of several expanded together only for one', () => {
    const domain = 'weft:test-domain:v1'
    const parts = [utf8('message')]
    assert.deepEqual(toScalar(hashToScalars(domain, parts, 1)[0] as bigint), hashToScalar(domain, parts))
    assert.equal(hashToScalars(domain, parts, 0).length, 0)
    assert.equal(new Set(hashToScalars(domain, parts, 64)).size, 64)
    assert.notDeepEqual(hashToScalar('weft:other-domain:v1', parts), hashToScalar(domain, parts))
  })

  it('refuses a domain or a length that the standard does not have', () => {
    assert.throws(() => expandMessage('too-short', [], 64), RangeError)
    assert.throws(() => expandMessage('d'.repeat(256), [], 64), RangeError)
    assert.throws(() => expandMessage('weft:test-domain:v1', [], 0), RangeError)
    assert.throws(() => expandMessage('weft:test-domain:v1', [], 255 * 64 + 1), RangeError)
  })
})
