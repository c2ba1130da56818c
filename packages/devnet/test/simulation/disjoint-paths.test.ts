import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { disjointPaths } from '../../src/simulation/disjoint-paths.ts'

type Links = ReadonlyMap<number, readonly number[]>
const graph = (links: readonly (readonly [number, number])[]): Links => {
  const all = new Map<number, number[]>()
  for (const [a, b] of links) all.set(a, [...(all.get(a) ?? []), b])
  return all
}

test('paths of small graphs', () => {
  assert.equal(disjointPaths(graph([[0, 1]]), 0, 1), 1)
  assert.equal(disjointPaths(graph([[1, 0]]), 0, 1), 1)
  assert.equal(disjointPaths(graph([[0, 2]]), 0, 1), 0)
  // One way through the middle, whichever of its four links is taken.
  const hourglass = graph([
    [0, 2],
    [0, 3],
    [2, 4],
    [3, 4],
    [4, 5],
    [4, 6],
    [5, 1],
    [6, 1],
  ] as const)
  assert.equal(disjointPaths(hourglass, 0, 1), 1)
  // The first path found crosses both others, which exist all the same.
  const crossing = graph([
    [0, 2],
    [2, 3],
    [3, 1],
    [0, 4],
    [4, 3],
    [2, 5],
    [5, 1],
  ] as const)
  assert.equal(disjointPaths(crossing, 0, 1), 2)
  const full = graph(Array.from({ length: 36 }, (_, at) => [at % 6, Math.floor(at / 6)] as const))
  assert.equal(disjointPaths(full, 0, 1), 5)
})

test('there are as many as nodes that have to be taken away to part two that are not linked (Menger)', () => {
  const links = fc.uniqueArray(fc.tuple(fc.nat(6), fc.nat(6)), { maxLength: 24 })
  fc.assert(
    fc.property(links, (all) => {
      const apart = all.filter(([a, b]) => a + b !== 1)
      assert.equal(disjointPaths(graph(apart), 0, 1), leastCut(apart))
    }),
    { numRuns: 300 },
  )
})

/** By trying every set of the nodes 2 to 6. */
function leastCut(links: readonly (readonly [number, number])[]): number {
  let least = 5
  for (let removed = 0; removed < 32; removed++) {
    const isThere = (node: number): boolean => node < 2 || ((removed >> (node - 2)) & 1) === 0
    const reached = new Set([0])
    for (const node of reached) {
      for (const [a, b] of links) {
        if (a === node && isThere(b)) reached.add(b)
        if (b === node && isThere(a)) reached.add(a)
      }
    }
    if (!reached.has(1)) least = Math.min(least, removed.toString(2).replaceAll('0', '').length)
  }
  return least
}
