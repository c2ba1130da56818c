import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MOST_DRAWN, drawnOf, ringPlaces } from '../src/parts/ring-places.ts'

test('places are on the circle, apart from each other, and none at the bottom', () => {
  assert.deepEqual(ringPlaces(0, 200, 50), [])
  assert.deepEqual(ringPlaces(1, 200, 50), [{ x: 200, y: 150 }])
  assert.deepEqual(ringPlaces(2, 200, 50), [
    { x: 150, y: 200 },
    { x: 250, y: 200 },
  ])
  fc.assert(
    fc.property(fc.integer({ min: 1, max: MOST_DRAWN }), (count) => {
      const places = ringPlaces(count, 200, 186)
      assert.equal(new Set(places.map(({ x, y }) => `${x} ${y}`)).size, count)
      assert.ok(places.every(({ x, y }) => x !== 200 || y < 200))
      for (const { x, y } of places) assert.ok(Math.abs(Math.hypot(x - 200, y - 200) - 186) < 0.2)
    }),
  )
})

test('of too many nodes as many are drawn as there is room for, each once, and this node always', () => {
  fc.assert(
    fc.property(fc.nat(600), fc.nat(600), fc.integer({ min: 1, max: 40 }), (count, own, most) => {
      const nodes = Array.from({ length: count }, (_, at) => ({ at, self: at === own }))
      const drawn = drawnOf(nodes, most)
      assert.equal(drawn.length, Math.min(count, most))
      assert.equal(new Set(drawn).size, drawn.length)
      assert.equal(
        drawn.some(({ self }) => self),
        own < count,
      )
    }),
  )
})
