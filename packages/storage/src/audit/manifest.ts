import { throwIfAborted } from '@weft/core'
import { MerkleTree, concatPath, merkleLeafHash, sha256 } from '@weft/crypto'
import type { ShardName } from '../holder/shard-name.ts'
import { leavesOf } from './audit-draw.ts'
import { MAX_LEAVES } from './audit-limits.ts'
import { ENTRY_BYTES, type ManifestEntry, decodeEntry, encodeEntry } from './manifest-entry.ts'

/** Shards read from the index at a time. */
const PAGE = 1024

/** A shard as the store lists it. */
interface ListedShard {
  readonly name: ShardName
  readonly length: number
}

/** Lists committed shards that are whole, in order of names, after one of them. */
export type ListShards = (after: ShardName | undefined, limit: number) => readonly ListedShard[]

/**
 * What a holder has at one time, in order of names: 120 bytes a shard in memory. What is put or goes later does not
 * change it.
 */
export class Manifest {
  readonly #entries: Uint8Array
  readonly #tree: MerkleTree | undefined
  readonly shards: number
  /** Of all shards together. */
  readonly leaves: number

  private constructor(entries: Uint8Array, tree: MerkleTree | undefined, shards: number, leaves: number) {
    this.#entries = entries
    this.#tree = tree
    this.shards = shards
    this.leaves = leaves
  }

  /** Reads the store page by page and lets others run in between. */
  static async of(list: ListShards, signal?: AbortSignal): Promise<Manifest> {
    const pages: Uint8Array[] = []
    const hashes: Uint8Array[] = []
    let leaves = 0
    for (let after: ShardName | undefined; ;) {
      throwIfAborted(signal)
      const page = list(after, PAGE)
      const bytes = new Uint8Array(page.length * ENTRY_BYTES)
      let shards = 0
      for (const { name, length } of page) {
        if (leaves + leavesOf(length) > MAX_LEAVES) break
        const entry = bytes.subarray(shards * ENTRY_BYTES, (shards + 1) * ENTRY_BYTES)
        hashes.push(merkleLeafHash(encodeEntry({ name, length, start: leaves }, entry)))
        leaves += leavesOf(length)
        shards++
      }
      pages.push(bytes.subarray(0, shards * ENTRY_BYTES))
      if (shards < PAGE) break
      after = page.at(-1)?.name
      await new Promise((resolve) => setImmediate(resolve))
    }
    const entries = new Uint8Array(Buffer.concat(pages))
    const tree = hashes.length === 0 ? undefined : MerkleTree.of(hashes)
    return new Manifest(entries, tree, hashes.length, leaves)
  }

  /** Of no shards, the hash of nothing. */
  get root(): Uint8Array {
    return this.#tree?.root ?? sha256()
  }

  entry(position: number): ManifestEntry {
    return decodeEntry(this.#entries.subarray(position * ENTRY_BYTES, (position + 1) * ENTRY_BYTES))
  }

  /** The hashes that prove an entry, end to end. */
  proof(position: number): Uint8Array {
    return concatPath(this.#tree?.path(position) ?? [])
  }

  /** Where the shard is that a leaf is of; the leaf must exist. */
  positionOfLeaf(leaf: number): number {
    return this.#search((entry) => entry.start > leaf) - 1
  }

  /** Undefined for a shard that is not in it. */
  positionOf(name: ShardName): number | undefined {
    const behind = this.#search((entry) => compareNames(entry.name, name) > 0)
    return behind > 0 && compareNames(this.entry(behind - 1).name, name) === 0 ? behind - 1 : undefined
  }

  /** The first position whose entry is behind; entries that are behind come after those that are not. */
  #search(isBehind: (entry: ManifestEntry) => boolean): number {
    let low = 0
    let high = this.shards
    while (low < high) {
      const middle = (low + high) >> 1
      if (isBehind(this.entry(middle))) high = middle
      else low = middle + 1
    }
    return low
  }
}

function compareNames(a: ShardName, b: ShardName): number {
  return Buffer.compare(a.object, b.object) || a.segment - b.segment || a.index - b.index
}
