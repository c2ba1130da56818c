import assert from 'node:assert/strict'
import { test } from 'node:test'
import { distinctPlaces } from '../../src/liveness/observer-place.ts'

test('places count once for a family or prefix, and not at all when they are the own', () => {
  const places = ['a1', 'a2', 'b1', 'b2', 'c3'].map(([family = '', prefix = '']) => ({ family, prefix }))
  assert.equal(distinctPlaces(places, undefined), 3)
  assert.equal(distinctPlaces(places, { family: 'c', prefix: '9' }), 2)
  assert.equal(distinctPlaces([], undefined), 0)
})
