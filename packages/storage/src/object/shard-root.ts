import { MERKLE_LEAF_SIZE, merkleLeafHash } from '@weft/crypto'
import { MAX_SHARD_LENGTH } from '@weft/wire'
import { assembleSha256Lanes } from './sha256-lanes.ts'

const LANES = 4
const DIGEST = 32
const BLOCK = 64
/** Blocks of a padded leaf (0x00 || 4,096 bytes) and of a padded node (0x01 || 64 bytes). */
const LEAF_BLOCKS = 65
const NODE_BLOCKS = 2
const PAGE = 65_536

const LEAVES_AT = 0
const NODES_AT = LANES * LEAF_BLOCKS * BLOCK
const OUT_AT = NODES_AT + LANES * NODE_BLOCKS * BLOCK
const DIGESTS_AT = OUT_AT + LANES * DIGEST
const MEMORY = DIGESTS_AT + (MAX_SHARD_LENGTH / MERKLE_LEAF_SIZE) * DIGEST

interface Exports {
  readonly memory: WebAssembly.Memory
  readonly hash4: (source: number, stride: number, blocks: number, target: number) => void
}

/** The hashing of one thread: four leaves or nodes at a time, 150 KB of memory whatever the shard. */
class ShardHasher {
  readonly #bytes: Uint8Array
  readonly #hash4: Exports['hash4']

  constructor() {
    const module = new WebAssembly.Module(assembleSha256Lanes(Math.ceil(MEMORY / PAGE)))
    const { memory, hash4 } = new WebAssembly.Instance(module).exports as unknown as Exports
    this.#bytes = new Uint8Array(memory.buffer)
    this.#hash4 = hash4
    this.#pad(LEAVES_AT, LEAF_BLOCKS, 0, MERKLE_LEAF_SIZE)
    this.#pad(NODES_AT, NODE_BLOCKS, 1, 2 * DIGEST)
  }

  root(shard: Uint8Array): Uint8Array {
    let count = this.#hashLeaves(shard)
    while (count > 1) count = this.#hashLevel(count)
    return this.#bytes.slice(DIGESTS_AT, DIGESTS_AT + DIGEST)
  }

  #hashLeaves(shard: Uint8Array): number {
    const whole = Math.floor(shard.length / MERKLE_LEAF_SIZE)
    for (let leaf = 0; leaf < whole; leaf += LANES) {
      const lanes = Math.min(LANES, whole - leaf)
      for (let lane = 0; lane < lanes; lane++) {
        const from = (leaf + lane) * MERKLE_LEAF_SIZE
        this.#bytes.set(shard.subarray(from, from + MERKLE_LEAF_SIZE), LEAVES_AT + lane * LEAF_BLOCKS * BLOCK + 1)
      }
      this.#hash(LEAVES_AT, LEAF_BLOCKS, leaf, lanes)
    }
    if (whole * MERKLE_LEAF_SIZE === shard.length) return whole
    this.#bytes.set(merkleLeafHash(shard.subarray(whole * MERKLE_LEAF_SIZE)), DIGESTS_AT + whole * DIGEST)
    return whole + 1
  }

  /** Makes the parents of `count` digests in their place; an odd last one moves up as it is. */
  #hashLevel(count: number): number {
    const parents = count >> 1
    for (let parent = 0; parent < parents; parent += LANES) {
      const lanes = Math.min(LANES, parents - parent)
      for (let lane = 0; lane < lanes; lane++) {
        const from = DIGESTS_AT + (parent + lane) * 2 * DIGEST
        this.#bytes.copyWithin(NODES_AT + lane * NODE_BLOCKS * BLOCK + 1, from, from + 2 * DIGEST)
      }
      this.#hash(NODES_AT, NODE_BLOCKS, parent, lanes)
    }
    if (count % 2 === 0) return parents
    const last = DIGESTS_AT + (count - 1) * DIGEST
    this.#bytes.copyWithin(DIGESTS_AT + parents * DIGEST, last, last + DIGEST)
    return parents + 1
  }

  /** Hashes what lies in the lanes; the digests of the first `lanes` go to place `at`. Further lanes hold old bytes. */
  #hash(source: number, blocks: number, at: number, lanes: number): void {
    this.#hash4(source, blocks * BLOCK, blocks, OUT_AT)
    this.#bytes.copyWithin(DIGESTS_AT + at * DIGEST, OUT_AT, OUT_AT + lanes * DIGEST)
  }

  /** Writes what is the same in all messages of one kind: the domain byte and the padding (FIPS 180-4, section 5.1.1). */
  #pad(start: number, blocks: number, domain: number, length: number): void {
    const view = new DataView(this.#bytes.buffer)
    for (let lane = 0; lane < LANES; lane++) {
      const at = start + lane * blocks * BLOCK
      this.#bytes[at] = domain
      this.#bytes[at + 1 + length] = 0x80
      view.setUint32(at + blocks * BLOCK - 4, 8 * (1 + length))
    }
  }
}

let hasher: ShardHasher | undefined

/**
 * The Merkle root of a shard, the same as `merkleRoot` of @weft/crypto (RFC 9162, 4 KiB leaves), at about twice its
 * speed: hashing is the largest part of the work of a put.
 * @param shard 1 to MAX_SHARD_LENGTH bytes. @throws RangeError when it is empty or longer
 */
export function shardRoot(shard: Uint8Array): Uint8Array {
  if (shard.length === 0 || shard.length > MAX_SHARD_LENGTH) {
    throw new RangeError(`a shard has 1 to ${MAX_SHARD_LENGTH} bytes, not ${shard.length}`)
  }
  hasher ??= new ShardHasher()
  return hasher.root(shard)
}
