import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MerkleTree } from '../src/merkle-tree.ts'
import { merkleLeafHash, merkleProof } from '../src/merkle.ts'
import { merkleSubsetProof, verifyMerkleSubset } from '../src/merkle-subset.ts'

const ALL = Array.from({ length: 200 }, (_, at) => merkleLeafHash(Uint8Array.of(at)))

/** A tree of 1 to 200 leaves and some positions in it, ascending. */
const subset = fc
  .integer({ min: 1, max: ALL.length })
  .chain((count) =>
    fc.tuple(
      fc.constant(count),
      fc.uniqueArray(fc.nat({ max: count - 1 }), { minLength: 1, maxLength: Math.min(count, 24) }),
    ),
  )
  .map(([count, leaves]) => ({ count, leaves: leaves.toSorted((a, b) => a - b) }))

function proven({ count, leaves }: { readonly count: number; readonly leaves: readonly number[] }) {
  const tree = MerkleTree.of(ALL.slice(0, count))
  const hashes = leaves.map((leaf) => ALL[leaf] as Uint8Array)
  return { tree, hashes, proof: merkleSubsetProof(tree, leaves) }
}

describe('merkle subset', () => {
  it('proves any leaves of any tree', () => {
    fc.assert(
      fc.property(subset, ({ count, leaves }) => {
        const { tree, hashes, proof } = proven({ count, leaves })
        assert.ok(verifyMerkleSubset(leaves, hashes, count, proof, tree.root))
      }),
    )
  })

  it('is the audit path of RFC 9162 for one leaf', () => {
    fc.assert(
      fc.property(subset, ({ count, leaves: [leaf] }) => {
        const { proof } = proven({ count, leaves: [leaf as number] })
        assert.deepEqual(Buffer.concat(merkleProof(ALL.slice(0, count), leaf as number)), Buffer.from(proof))
      }),
    )
  })

  it('is nothing for all leaves of a tree', () => {
    const { tree, hashes, proof } = proven({ count: 77, leaves: Array.from({ length: 77 }, (_, at) => at) })
    assert.equal(proof.length, 0)
    assert.ok(verifyMerkleSubset([...hashes.keys()], hashes, 77, proof, tree.root))
  })

  it('refuses whatever else it is shown', () => {
    fc.assert(
      fc.property(subset, fc.nat(), fc.nat({ max: 7 }), ({ count, leaves }, which, bit) => {
        const { tree, hashes, proof } = proven({ count, leaves })
        const isProven = (change: {
          leaves?: readonly number[]
          hashes?: readonly Uint8Array[]
          count?: number
          proof?: Uint8Array
        }): boolean => {
          const all = { leaves, hashes, count, proof, ...change }
          return verifyMerkleSubset(all.leaves, all.hashes, all.count, all.proof, tree.root)
        }
        const flipped = (bytes: Uint8Array): Uint8Array =>
          bytes.map((byte, at) => (at === which % bytes.length ? byte ^ (1 << bit) : byte))
        const at = which % leaves.length
        assert.ok(!isProven({ hashes: hashes.with(at, flipped(hashes[at] as Uint8Array)) }))
        assert.ok(!isProven({ hashes: hashes.with(at, merkleLeafHash(Uint8Array.of(1, 2, 3))) }))
        if (proof.length > 0) assert.ok(!isProven({ proof: flipped(proof) }))
        assert.ok(!isProven({ proof: proof.subarray(0, -32) }) || proof.length === 0)
        assert.ok(!isProven({ proof: new Uint8Array(proof.length + 32) }))
        assert.ok(!isProven({ leaves: [], hashes: [] }))
        assert.ok(!isProven({ leaves: leaves.with(-1, count) }))
        assert.ok(!isProven({ leaves: leaves.with(at, at + 0.5) }))
        if (leaves.length > 1) assert.ok(!isProven({ leaves: leaves.toReversed(), hashes: hashes.toReversed() }))
      }),
    )
  })
})
