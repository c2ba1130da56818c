import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { entropyFloor, flatten } from '../../src/route/entropy-floor.ts'

const EPSILON = 1e-9
const entropy = (shares: readonly number[]): number =>
  shares.reduce((sum, share) => sum - (share > 0 ? share * Math.log2(share) : 0), 0)

test('the floor: half as many that are alike, √n below four', () => {
  assert.equal(entropyFloor(1), 0)
  assert.equal(entropyFloor(2), 0.5)
  assert.equal(entropyFloor(4), 1)
  assert.equal(entropyFloor(8), 2)
  assert.ok(Math.abs(2 ** entropyFloor(1_000) - 500) < EPSILON * 1_000)
})

test('flattened weights have the entropy of the floor or more, and those that have it are left as they are', () => {
  const weights = fc.array(
    fc.oneof(fc.double({ min: 1 / 16, max: 1, noNaN: true }), fc.constantFrom(1 / 16, 1, 1e-12)),
    {
      minLength: 1,
      maxLength: 300,
    },
  )
  let flattened = 0
  fc.assert(
    fc.property(weights, (given) => {
      const sum = given.reduce((total, weight) => total + weight, 0)
      const logSum = given.reduce((total, weight) => total + weight * Math.log2(weight), 0)
      const { bits, floorBits, uniform } = flatten(given.length, sum, logSum)
      assert.ok(Math.abs(bits - entropy(given.map((weight) => weight / sum))) < 1e-6)
      assert.ok(uniform >= 0 && uniform <= 1)
      const shares = given.map((weight) => (1 - uniform) * (weight / sum) + uniform / given.length)
      assert.ok(entropy(shares) >= floorBits - EPSILON, `${entropy(shares)} < ${floorBits}`)
      if (uniform > 0) flattened++
      else assert.ok(bits >= floorBits)
    }),
    { numRuns: 500 },
  )
  assert.ok(flattened > 50, `${flattened}`)
})
