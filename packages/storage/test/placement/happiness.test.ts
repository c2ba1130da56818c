import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { happiness, matching } from '../../src/placement/happiness.ts'

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

test('who is matched may have the shard, none has two, and the first shard gets its first node where that costs no other one', () => {
  const nodes = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 3 })
  fc.assert(
    fc.property(fc.array(nodes, { maxLength: 6 }), (holders) => {
      const matched = matching(holders)
      const given = matched.filter((node) => node !== undefined)
      assert.equal(new Set(given).size, given.length)
      for (const [shard, node] of matched.entries()) assert.ok(node === undefined || holders[shard]?.includes(node))
      if (holders[0]?.length) assert.notEqual(matched[0], undefined)
    }),
  )
  assert.deepEqual(matching([['a', 'b'], ['a']]), ['b', 'a'])
  assert.deepEqual(
    matching([
      ['a', 'b'],
      ['b', 'c'],
    ]),
    ['a', 'b'],
  )
})
