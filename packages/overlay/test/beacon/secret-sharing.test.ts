import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom, shuffled } from '@weft/core'
import fc from 'fast-check'
import { fromScalar, mod, toScalar } from '../../src/beacon/scalar.ts'
import { drawShares, dualWord, weightsAtZero } from '../../src/beacon/secret-sharing.ts'

const shape = fc
  .tuple(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 0, max: 63 }), fc.nat())
  .map(([count, less, seed]) => ({ count, threshold: Math.max(1, count - less), seed }))

function product(a: readonly bigint[], b: readonly bigint[]): bigint {
  return a.reduce((sum, value, at) => mod(sum + value * (b[at] as bigint)), 0n)
}

describe('sharing a secret', () => {
  it('gives the same secret by any shares that are enough', () => {
    fc.assert(
      fc.property(shape, ({ count, threshold, seed }) => {
        const random = seededRandom(seed)
        const shares = drawShares(threshold, count, random).map(fromScalar)
        assert.equal(shares.length, count)
        const secretBy = (points: readonly number[]) =>
          product(
            weightsAtZero(points),
            points.map((point) => shares[point - 1] as bigint),
          )
        const points = shares.map((_, at) => at + 1)
        const first = secretBy(points.slice(0, threshold))
        assert.equal(secretBy(points.slice(-threshold)), first)
        assert.equal(secretBy(shuffled(random, points).slice(0, threshold)), first)
        if (threshold > 1) assert.notEqual(secretBy(points.slice(0, threshold - 1)), first)
      }),
      { numRuns: 40 },
    )
  })

  it('draws another sharing each time', () => {
    const random = seededRandom(5)
    assert.notDeepEqual(drawShares(3, 4, random), drawShares(3, 4, random))
  })
})

describe('the dual code', () => {
  it('sums every sharing to zero, and no other values', () => {
    fc.assert(
      fc.property(shape, fc.nat({ max: 63 }), ({ count, threshold, seed }, where) => {
        if (count === threshold) return
        const random = seededRandom(seed)
        const coefficients = drawShares(1, count - threshold, random).map(fromScalar)
        const word = dualWord(
          count,
          coefficients.map((first, at) => mod(first * BigInt(at + 1) + 1n)),
        )
        const shares = drawShares(threshold, count, random).map(fromScalar)
        assert.equal(product(word, shares), 0n)
        const wrong = shares.with(where % count, mod((shares[where % count] as bigint) + 1n))
        assert.notEqual(product(word, wrong), 0n)
        assert.notEqual(product(word, drawShares(threshold + 1, count, random).map(fromScalar)), 0n)
      }),
      { numRuns: 40 },
    )
  })

  it('has the weights of SCRAPE but for a common factor', () => {
    for (const count of [2, 4, 7, 64]) {
      const word = dualWord(count, [1n])
      const factors = word.map((weight, at) => {
        let denominator = 1n
        for (let other = 1; other <= count; other++) if (other !== at + 1) denominator *= BigInt(at + 1 - other)
        return mod(weight * denominator)
      })
      assert.equal(new Set(factors).size, 1)
      assert.notEqual(factors[0], 0n)
    }
  })

  it('writes its words as scalars', () => {
    assert.deepEqual(dualWord(4, [1n]).map(toScalar).map(fromScalar), dualWord(4, [1n]))
  })
})
