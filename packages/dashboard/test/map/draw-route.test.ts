import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { COUNTRIES, middleOf } from '../../src/map/countries.ts'
import { drawRoute } from '../../src/map/draw-route.ts'
import { ASPECT, frameOf } from '../../src/map/frame.ts'
import { labelSides } from '../../src/map/place-labels.ts'
import { type MapPlace, project, WORLD } from '../../src/map/project.ts'
import { spreadPlaces } from '../../src/map/spread-places.ts'

const place = fc.record({
  x: fc.double({ min: WORLD.left, max: WORLD.left + WORLD.width, noNaN: true }),
  y: fc.double({ min: WORLD.top, max: WORLD.top + WORLD.height, noNaN: true }),
})

function isWithin({ x, y }: MapPlace, { left, top, width, height }: ReturnType<typeof frameOf>): boolean {
  const more = 1e-6
  return x >= left - more && x <= left + width + more && y >= top - more && y <= top + height + more
}

test('the frame has all places, the shape of the world, and does not leave it', () => {
  assert.deepEqual(frameOf([]), WORLD)
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 15 }), (places) => {
      const frame = frameOf(places)
      assert.ok(places.every((one) => isWithin(one, frame)))
      assert.ok(Math.abs(frame.width / frame.height - ASPECT) < 1e-6)
      assert.ok(isWithin({ x: frame.left, y: frame.top }, WORLD))
      assert.ok(isWithin({ x: frame.left + frame.width, y: frame.top + frame.height }, WORLD))
    }),
  )
})

test('places that are near each other are pushed apart, the first stays, and none leaves the frame', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...COUNTRIES), { minLength: 2, maxLength: 10 }), (codes) => {
      const places = codes.map((code) => project(middleOf(code) ?? assert.fail(code)))
      const frame = frameOf(places)
      const least = frame.width * 0.05
      const spread = spreadPlaces(places, least, frame)
      assert.deepEqual(spread[0], places[0])
      assert.deepEqual(spread, spreadPlaces(places, least, frame))
      for (const [at, one] of spread.entries()) {
        assert.ok(isWithin(one, frame))
        for (const other of spread.slice(at + 1))
          assert.ok(Math.hypot(one.x - other.x, one.y - other.y) > least * 0.8, codes.join())
      }
    }),
  )
})

test('labels stand where they cover no sign, as long as there is a side', () => {
  const frame = { left: 0, top: 0, width: 200, height: 100 }
  const lone = { x: 100, y: 50 }
  assert.deepEqual(labelSides([lone], 1, frame), ['right'])
  assert.deepEqual(labelSides([lone, { x: 115, y: 50 }], 1, frame), ['left'])
  assert.deepEqual(labelSides([{ x: 195, y: 50 }], 1, frame), ['left'])
  assert.deepEqual(labelSides([lone, { x: 85, y: 50 }, { x: 115, y: 50 }], 1, frame), ['above'])
  assert.deepEqual(labelSides([lone, { x: 85, y: 50 }, { x: 115, y: 50 }, { x: 100, y: 40 }], 1, frame), ['below'])
})

const hop = (node: string, country: string, health = 'green') => ({ node, country, health })

test('legs go from this node over each hop; the one that is looked at has labels, as has what is not well, and is drawn last', () => {
  const exit = hop('x', 'JP')
  const legs = [
    { state: 'active', hops: [hop('a', 'DE'), hop('b', 'US', 'yellow'), exit] },
    { state: 'spare', hops: [hop('c', 'NL'), hop('d', 'SG'), exit] },
  ]
  for (const selected of [0, 1]) {
    const drawing = drawRoute(legs, selected)
    assert.deepEqual(
      drawing.nodes.filter(({ label }) => label !== undefined).map(({ hop: { node }, position }) => [node, position]),
      selected === 0
        ? [
            ['b', 2],
            ['a', 1],
            ['x', 3],
          ]
        : [
            ['c', 1],
            ['d', 2],
            ['x', 3],
            ['b', 2],
          ],
    )
    assert.equal(drawing.nodes.length, 5)
    assert.equal(drawing.legs.at(-1)?.leg, legs[selected])
    assert.deepEqual(
      drawing.legs.map(({ isSelected }) => isSelected),
      [false, true],
    )
    assert.ok(
      drawing.legs.every(({ arcs }) => arcs[0]?.path.startsWith(`M${round(drawing.you.x)} ${round(drawing.you.y)}Q`)),
    )
  }
  const [, second] = drawRoute(legs, 0).legs.at(-1)?.arcs ?? []
  assert.equal(second?.health, 'yellow')
})

test('a node without a country on the map is left out, and its leg goes on to the next', () => {
  const drawing = drawRoute([{ state: 'active', hops: [hop('a', 'DE'), hop('b', 'ZZ'), hop('x', 'JP')] }], 0)
  assert.equal(drawing.unplaced, 1)
  assert.deepEqual(
    drawing.nodes.map(({ hop: { node } }) => node),
    ['a', 'x'],
  )
  assert.equal(drawing.legs[0]?.arcs.length, 2)
  const none = drawRoute([], -1)
  assert.deepEqual([none.nodes, none.legs, none.frame], [[], [], WORLD])
})

test('a node of several legs is as the one that is looked at has it, else as bad as any has it', () => {
  const legs = [
    { state: 'active', hops: [hop('a', 'DE')] },
    { state: 'spare', hops: [hop('b', 'US')] },
    { state: 'silent', hops: [hop('b', 'US', 'red')] },
  ]
  const healthOf = (selected: number): string | undefined =>
    drawRoute(legs, selected).nodes.find(({ hop: { node } }) => node === 'b')?.hop.health
  assert.deepEqual([0, 1, 2].map(healthOf), ['red', 'green', 'red'])
})

test('legs over the same two nodes are not one line', () => {
  const hops = [hop('a', 'DE'), hop('b', 'US')]
  const { legs } = drawRoute(
    [
      { state: 'active', hops },
      { state: 'spare', hops },
    ],
    0,
  )
  assert.equal(new Set(legs.flatMap(({ arcs }) => arcs.map(({ path }) => path))).size, 4)
})

function round(value: number): number {
  return Math.round(value * 10) / 10
}
