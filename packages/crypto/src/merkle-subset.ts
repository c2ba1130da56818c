import { concatBytes, equalBytes } from '@weft/core'
import { merkleNodeHash } from './merkle.ts'
import type { MerkleTree } from './merkle-tree.ts'

const HASH = 32

/**
 * What proves that some leaves are in a tree: the hashes of their audit paths (RFC 9162, section 2.1.3.1), each once, and
 * without those that follow from the leaves themselves. From the leaves up, in each level from left to right.
 * @param leaves positions of leaves that exist; ascending, none twice
 */
export function merkleSubsetProof(tree: MerkleTree, leaves: readonly number[]): Uint8Array {
  const proof: Uint8Array[] = []
  let known = leaves
  for (let level = 0; level < tree.height; level++) {
    for (const sibling of siblingsOf(known, tree.width(level))) proof.push(tree.node(level, sibling))
    known = parentsOf(known)
  }
  return concatBytes(proof)
}

/**
 * Checks a proof that `merkleSubsetProof` made: these leaf hashes are at these positions of the tree of `count` leaves
 * with this root. False also for no leaves, for positions that do not ascend or exist, and for a proof of another length.
 */
export function verifyMerkleSubset(
  leaves: readonly number[],
  hashes: readonly Uint8Array[],
  count: number,
  proof: Uint8Array,
  root: Uint8Array,
): boolean {
  const isAscending = leaves.every((leaf, at) => Number.isInteger(leaf) && leaf > (leaves[at - 1] ?? -1))
  if (!isAscending || leaves.length === 0 || leaves.length !== hashes.length) return false
  if ((leaves.at(-1) as number) >= count) return false
  let nodes = new Map(leaves.map((leaf, at) => [leaf, hashes[at] as Uint8Array]))
  let used = 0
  for (let width = count; width > 1; width = (width + 1) >> 1) {
    const known = [...nodes.keys()]
    for (const sibling of siblingsOf(known, width)) {
      if (used + HASH > proof.length) return false
      nodes.set(sibling, proof.subarray(used, (used += HASH)))
    }
    const above = new Map<number, Uint8Array>()
    for (const parent of parentsOf(known)) {
      const left = nodes.get(2 * parent) as Uint8Array
      const right = nodes.get(2 * parent + 1)
      // An odd last node moves up unchanged.
      above.set(parent, right === undefined ? left : merkleNodeHash(left, right))
    }
    nodes = above
  }
  return used === proof.length && equalBytes(nodes.get(0) as Uint8Array, root)
}

/** The nodes of a level that are missing for the parents of `known` ones, ascending as these are. */
function siblingsOf(known: readonly number[], width: number): number[] {
  return known.flatMap((index, at) => {
    const sibling = index ^ 1
    const isKnown = known[at - 1] === sibling || known[at + 1] === sibling
    return isKnown || sibling >= width ? [] : [sibling]
  })
}

function parentsOf(nodes: readonly number[]): number[] {
  return [...new Set(nodes.map((index) => index >> 1))]
}
