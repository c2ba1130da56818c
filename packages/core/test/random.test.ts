import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { randomInt, seededRandom, shuffled, systemRandom } from '../src/index.ts'

it('repeats from a seed and differs between seeds', () => {
  assert.deepEqual(seededRandom(7).bytes(64), seededRandom(7).bytes(64))
  assert.notDeepEqual(seededRandom(7).bytes(64), seededRandom(8).bytes(64))
})

it('draws integers in range, all of them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.integer(), (below, seed) => {
      const value = randomInt(seededRandom(seed), below)
      assert.ok(value >= 0 && value < below && Number.isInteger(value))
    }),
  )
  const random = seededRandom(1)
  const seen = new Set(Array.from({ length: 1_000 }, () => randomInt(random, 10)))
  assert.equal(seen.size, 10)
  assert.throws(() => randomInt(random, 0), RangeError)
})

it('shuffles without losing or doubling anything', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
      const copy = [...items]
      const out = shuffled(seededRandom(seed), items)
      assert.deepEqual(
        out.toSorted((a, b) => a - b),
        copy.toSorted((a, b) => a - b),
      )
      assert.deepEqual(items, copy)
    }),
  )
})

it('fills requests larger than one call of the system allows', () => {
  const bytes = systemRandom.bytes(200_000)
  assert.equal(bytes.length, 200_000)
  assert.ok(bytes.subarray(150_000).some((byte) => byte !== 0))
})
