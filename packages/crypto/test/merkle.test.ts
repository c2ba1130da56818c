import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { equalBytes, fromHex, seededRandom, toHex } from '@weft/core'
import fc from 'fast-check'
import {
  MERKLE_LEAF_SIZE,
  merkleLeafHash,
  merkleLeaves,
  merkleProof,
  merkleRoot,
  merkleRootOfLeaves,
  sha256,
  verifyMerkleProof,
} from '../src/index.ts'

/** RFC 9162, section 2.1.1, written as it is defined: the slow form against which the fast one is held. */
function rfcRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256()
  if (leaves.length === 1) return leaves[0] as Uint8Array
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha256(Uint8Array.of(1), rfcRoot(leaves.slice(0, split)), rfcRoot(leaves.slice(split)))
}

describe('Merkle tree (RFC 9162, section 2.1)', () => {
  it('gives the roots of the certificate-transparency test tree', () => {
    // The eight leaves and roots that Certificate Transparency implementations share.
    const data = [
      '',
      '00',
      '10',
      '2021',
      '3031',
      '40414243',
      '5051525354555657',
      '606162636465666768696a6b6c6d6e6f',
    ].map(fromHex)
    const roots = [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]
    const leaves = data.map(merkleLeafHash)
    for (let count = 1; count <= 8; count++)
      assert.equal(toHex(merkleRootOfLeaves(leaves.slice(0, count))), roots[count - 1])
  })

  it('equals the definition for every count, and every proof verifies', () => {
    for (let count = 0; count <= 33; count++) {
      const leaves = Array.from({ length: count }, (_, i) => merkleLeafHash(Uint8Array.of(i)))
      const root = merkleRootOfLeaves(leaves)
      assert.deepEqual(root, rfcRoot(leaves))
      for (let i = 0; i < count; i++) {
        assert.ok(verifyMerkleProof(leaves[i] as Uint8Array, i, count, merkleProof(leaves, i), root))
      }
    }
  })

  it('refuses a proof in which anything was changed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), fc.nat(), fc.nat(), (count, at, where, how) => {
        const leaves = Array.from({ length: count }, (_, i) => merkleLeafHash(Uint8Array.of(i)))
        const root = merkleRootOfLeaves(leaves)
        const index = at % count
        const leaf = leaves[index] as Uint8Array
        const proof = merkleProof(leaves, index)
        const changed = proof.map((hash) => hash.slice())
        const target = changed[where % changed.length] as Uint8Array
        target[how % 32] = (target[how % 32] as number) ^ 1
        assert.ok(!verifyMerkleProof(leaf, index, count, changed, root))
        assert.ok(!verifyMerkleProof(leaf, index, count, proof.slice(1), root))
        assert.ok(!verifyMerkleProof(leaf, index, count, [...proof, root], root))
        assert.ok(!verifyMerkleProof(leaf, count, count, proof, root))
        assert.ok(!verifyMerkleProof(merkleLeafHash(Uint8Array.of(200)), index, count, proof, root))
      }),
    )
    assert.throws(() => merkleProof([], 0), { code: 'E_MERKLE_INDEX' })
  })

  it('cuts data into 4 KiB leaves, the last one shorter', () => {
    const data = seededRandom(1).bytes(3 * MERKLE_LEAF_SIZE + 5)
    const leaves = merkleLeaves(data)
    assert.equal(leaves.length, 4)
    assert.ok(equalBytes(leaves[3] as Uint8Array, merkleLeafHash(data.subarray(3 * MERKLE_LEAF_SIZE))))
    assert.deepEqual(merkleRoot(data), merkleRootOfLeaves(leaves))
    assert.deepEqual(merkleRoot(new Uint8Array(0)), sha256())
  })
})
