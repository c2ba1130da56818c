import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import {
  BASE,
  type Element,
  IDENTITY,
  add,
  isElement,
  multiply,
  subtract,
  weightedSum,
} from '../../src/beacon/group.ts'
import { ORDER, toScalar } from '../../src/beacon/scalar.ts'
import { NO_ELEMENTS } from './beacon-fixture.ts'

const Point = ed25519.Point
const scalar = fc.bigInt({ min: 1n, max: ORDER - 1n })

/** The same element by another implementation. */
function peer(factor: bigint): Element {
  return Point.BASE.multiply(factor).toBytes()
}

function times(factor: bigint, element: Element = BASE): Element {
  const product = multiply(toScalar(factor), element)
  assert.ok(product !== undefined)
  return product
}

describe('group', () => {
  it('has the base point and order of RFC 8032, by an independent implementation', () => {
    assert.deepEqual(BASE, Point.BASE.toBytes())
    assert.deepEqual(IDENTITY, Point.ZERO.toBytes())
    assert.equal(Point.Fn.ORDER, ORDER)
  })

  it('multiplies and adds as an independent implementation does', () => {
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        const [left, right] = [times(a), times(b)]
        assert.deepEqual(left, peer(a))
        assert.deepEqual(times(b, left), Point.fromBytes(left).multiply(b).toBytes())
        assert.deepEqual(add(left, right), Point.fromBytes(left).add(Point.fromBytes(right)).toBytes())
        assert.deepEqual(subtract(left, right), Point.fromBytes(left).subtract(Point.fromBytes(right)).toBytes())
      }),
      { numRuns: 20 },
    )
  })

  it('adds to and comes to the neutral element', () => {
    const seven = times(7n)
    assert.deepEqual(add(IDENTITY, seven), seven)
    assert.deepEqual(subtract(seven, seven), IDENTITY)
    assert.deepEqual(add(seven, times(ORDER - 7n)), IDENTITY)
  })

  it('sums weighted elements', () => {
    const sum = weightedSum([toScalar(3n), toScalar(ORDER - 1n)], [times(5n), times(4n)])
    assert.deepEqual(sum, times(11n))
    assert.equal(weightedSum([toScalar(3n)], [IDENTITY]), undefined)
  })

  it('multiplies nothing by zero, as that would make every claim true', () => {
    assert.equal(multiply(new Uint8Array(32), BASE), undefined)
    assert.equal(multiply(new Uint8Array(32), times(7n)), undefined)
  })

  for (const [what, hex] of Object.entries(NO_ELEMENTS)) {
    it(`takes no point that is ${what}`, () => {
      const bytes = Uint8Array.fromHex(hex)
      assert.ok(!isElement(bytes))
      assert.equal(multiply(toScalar(8n), bytes), undefined)
      assert.equal(multiply(toScalar(3n), bytes), undefined)
    })
  }

  it('takes no point with a part of low order', () => {
    const low = Point.fromHex(NO_ELEMENTS['of order eight'] as string)
    for (let part = 1; part < 8; part++) {
      const mixed = Point.BASE.multiply(5n)
        .add(low.multiplyUnsafe(BigInt(part)))
        .toBytes()
      assert.ok(!isElement(mixed))
      assert.equal(multiply(toScalar(8n), mixed), undefined)
    }
  })

  it('takes no bytes of another length', () => {
    for (const length of [0, 31, 33, 64]) {
      assert.ok(!isElement(new Uint8Array(length)))
      assert.equal(multiply(toScalar(3n), new Uint8Array(length)), undefined)
      assert.throws(() => multiply(new Uint8Array(length), BASE), RangeError)
      assert.throws(() => add(new Uint8Array(length), BASE), RangeError)
    }
    assert.throws(() => add(Uint8Array.fromHex(NO_ELEMENTS['not on the curve'] as string), BASE), RangeError)
  })

  it('takes random bytes only where the other implementation does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        let expected = false
        try {
          const point = Point.fromBytes(bytes, false)
          expected = point.isTorsionFree() && !point.is0()
        } catch {
          // Not on the curve, or not in its one encoding.
        }
        assert.equal(isElement(bytes), expected)
      }),
      { numRuns: 200 },
    )
  })
})
