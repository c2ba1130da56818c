import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '@weft/core'
import fc from 'fast-check'
import { MerkleTree, merkleLeafHash, merkleRootOfLeaves } from '../src/index.ts'

const leaf = (value: number): Uint8Array => merkleLeafHash(Uint8Array.of(value))
const values = fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 70 })

test('every node is the root over the leaves that it covers', () => {
  for (let count = 1; count <= 40; count++) {
    const leaves = Array.from({ length: count }, (_, at) => leaf(at))
    const tree = MerkleTree.of(leaves)
    assert.equal(tree.count, count)
    assert.equal(tree.width(tree.height), 1)
    for (let level = 0; level <= tree.height; level++) {
      assert.equal(tree.width(level), Math.ceil(count / 2 ** level))
      for (let index = 0; index < tree.width(level); index++) {
        const covered = leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)
        assert.deepEqual(toHex(tree.node(level, index)), toHex(merkleRootOfLeaves(covered)))
      }
    }
  }
})

test('a tree made from another is the same as one made anew, whatever changed', () => {
  fc.assert(
    fc.property(values, values, fc.nat({ max: 70 }), (before, after, kept) => {
      const changed = [...before.slice(0, kept), ...after].map(leaf)
      const tree = MerkleTree.of(changed, MerkleTree.of(before.map(leaf)))
      assert.deepEqual(toHex(tree.root), toHex(merkleRootOfLeaves(changed)))
    }),
  )
})

test('there is no tree without leaves', () => {
  assert.throws(() => MerkleTree.of([]), RangeError)
})
