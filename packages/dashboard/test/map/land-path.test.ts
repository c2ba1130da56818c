import assert from 'node:assert/strict'
import { test } from 'node:test'
import { landPath, type Topology } from '../../scripts/land-path.ts'

const topology = (arcs: Topology['arcs'], rings: readonly (readonly number[])[]): Topology => ({
  transform: { scale: [1, 1], translate: [0, 0] },
  arcs,
  objects: { land: { geometries: [{ arcs: [rings] }] } },
})

test('arcs are joined to rings, backwards too, and drawn in half units without what adds nothing', () => {
  // A square of 10 degrees on the equator: two sides, and the two others the other way round.
  const arcs = [
    [
      [0, 0],
      [5, 0],
      [5, 0],
      [0, 10],
    ],
    [
      [0, 0],
      [0, 10],
      [10, 0],
    ],
  ] as const
  assert.equal(landPath(topology(arcs, [[0, ~1]])), 'M10 0l10 0 0-20-20 0 0 20z')
})

test('small islands are left out', () => {
  const arcs = [
    [
      [0, 0],
      [1, 0],
      [0, 1],
      [-1, -1],
    ],
  ] as const
  assert.equal(landPath(topology(arcs, [[0]])), '')
})

test('land over the edge of the map is drawn at both sides, not across', () => {
  const arcs = [
    [
      [170, 0],
      [10, 0],
      [-350, 0],
      [0, 10],
      [340, 0],
      [0, -10],
    ],
  ] as const
  const path = landPath(topology(arcs, [[0]]))
  const numbers = Array.from(path.matchAll(/l([^z]*)z/g), ([, steps = '']) =>
    Array.from(steps.matchAll(/-?\d+/g), ([word]) => Math.abs(Number(word))),
  )
  assert.equal(numbers.length, 2)
  assert.ok(
    numbers.flat().every((step) => step <= 40),
    path,
  )
})
