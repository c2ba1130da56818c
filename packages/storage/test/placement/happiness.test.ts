import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { happiness } from '../../src/placement/happiness.ts'

/** The largest matching by trying everything. */
function slow(holders: readonly (readonly string[])[], taken: ReadonlySet<string> = new Set()): number {
  const [first, ...rest] = holders
  if (first === undefined) return 0
  const with_ = first.filter((node) => !taken.has(node)).map((node) => 1 + slow(rest, new Set([...taken, node])))
  return Math.max(slow(rest, taken), ...with_)
}

test('it is the largest matching', () => {
  const nodes = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 3 })
  fc.assert(
    fc.property(fc.array(nodes, { maxLength: 6 }), (holders) => assert.equal(happiness(holders), slow(holders))),
  )
})

test('two shards at one node count once', () => {
  assert.equal(happiness([['a'], ['a'], ['b']]), 2)
})
