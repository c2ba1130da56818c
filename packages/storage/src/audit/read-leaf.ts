import { MERKLE_LEAF_SIZE, MerkleTree, concatPath, merkleLeafHash } from '@weft/crypto'

export interface ReadLeaf {
  readonly data: Uint8Array
  /** From the leaf to the root, hashes end to end. */
  readonly path: Uint8Array
  readonly root: Uint8Array
}

/** Reads a whole shard, which its path takes, and keeps one leaf of it. @throws what the bytes throw */
export async function readLeaf(bytes: AsyncIterable<Uint8Array>, leaf: number): Promise<ReadLeaf> {
  const hashes: Uint8Array[] = []
  let data: Uint8Array = new Uint8Array(0)
  let rest: Uint8Array = new Uint8Array(0)
  const add = (piece: Uint8Array): void => {
    if (hashes.length === leaf) data = piece.slice()
    hashes.push(merkleLeafHash(piece))
  }
  for await (const piece of bytes) {
    const all: Uint8Array = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    const whole = all.length - (all.length % MERKLE_LEAF_SIZE)
    for (let at = 0; at < whole; at += MERKLE_LEAF_SIZE) add(all.subarray(at, at + MERKLE_LEAF_SIZE))
    rest = all.subarray(whole)
  }
  if (rest.length > 0) add(rest)
  const tree = MerkleTree.of(hashes)
  return { data, path: concatPath(tree.path(leaf)), root: tree.root }
}
