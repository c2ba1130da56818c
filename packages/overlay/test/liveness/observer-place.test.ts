import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MOST_PLACES, distinctPlaces, observersNeeded } from '../../src/liveness/observer-place.ts'

test('places count once for a family or prefix, and not at all when they are the own', () => {
  const places = ['a1', 'a2', 'b1', 'b2', 'c3'].map(([family = '', prefix = '']) => ({ family, prefix }))
  assert.equal(distinctPlaces(places, undefined), 3)
  assert.equal(distinctPlaces(places, { family: 'c', prefix: '9' }), 2)
  assert.equal(distinctPlaces([], undefined), 0)
  assert.equal(distinctPlaces(places, undefined, 2), 2, 'so many are enough')
})

test('a third of the places may lie; more of them than are counted need no more observers', () => {
  assert.deepEqual([0, 1, 3, 4, 6, 7].map(observersNeeded), [0, 1, 1, 2, 2, 3])
  assert.ok([7, 20, 10_000].every((places) => observersNeeded(places) === observersNeeded(MOST_PLACES)))
  assert.ok(observersNeeded(MOST_PLACES - 1) < observersNeeded(MOST_PLACES))
})
