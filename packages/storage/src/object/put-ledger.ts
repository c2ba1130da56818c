import { WeftError } from '@weft/core'
import { type DidKey, fromDidKey, shortId } from '@weft/crypto'
import type { ObjectSegment, ShardRecord } from './object-records.ts'
import type { OpenHolder } from './open-holder.ts'
import type { PutHolders } from './put-holders.ts'

const ROOT = 32

/** Who has a shard on disk, and the root of what it has. */
export interface StoredAt {
  readonly holder: OpenHolder
  readonly root: Uint8Array
}

/** A segment of which all shards were acknowledged, and by whom. */
export interface PlacedSegment {
  readonly index: number
  /** Sealed bytes. */
  readonly length: number
  readonly shardLength: number
  /** n roots of 32 bytes, end to end: of each shard as it is sealed for the holder that has it. */
  readonly roots: Uint8Array
  /** By shard index, the holder that has it; changes as shards are made again for others. */
  readonly nodes: DidKey[]
}

/** The seat that a shard belongs to: holders take turns, so that data shards, which reads prefer, are spread over all. */
export function seatOf(segment: number, index: number, n: number): number {
  return (segment + index) % n
}

/** The segments of a put whose records are not written, by who has their shards: some 100 bytes a shard. */
export class PutLedger {
  #segments: PlacedSegment[] = []
  /** Named by records that are written: they cannot be replaced any more. */
  readonly #fixed = new Set<DidKey>()
  /** `changes` of the holders when nothing was astray. */
  #settledAt = 0

  get size(): number {
    return this.#segments.length
  }

  add(segment: PlacedSegment): void {
    this.#segments.push(segment)
    // It may have been sent to a holder that fell out meanwhile.
    this.#settledAt = -1
  }

  /**
   * A segment with shards that are not at the holder of their seat, the first index first; undefined when there is none.
   * @throws WeftError E_PUT_FAILED when a record that is written names one that fell out
   */
  astray(holders: PutHolders): PlacedSegment | undefined {
    const { changes } = holders
    if (this.#settledAt === changes) return undefined
    const all = holders.all
    const named = new Set(all.map(({ id }) => id))
    for (const node of this.#fixed) if (!named.has(node)) throw cannotMove(node)
    const found = this.#segments.find(
      ({ index, nodes }) => !nodes.every((node, shard) => node === all[seatOf(index, shard, nodes.length)]?.id),
    )
    if (found === undefined) this.#settledAt = changes
    return found
  }

  /** Shards that a node should have, by segment and index. */
  *shardsAt(node: DidKey): Generator<{ readonly segment: PlacedSegment; readonly index: number }> {
    for (const segment of this.#segments) {
      const index = segment.nodes.indexOf(node)
      if (index >= 0) yield { segment, index }
    }
  }

  /** Takes all out, to write their records. */
  take(): PlacedSegment[] {
    const segments = this.#segments
    this.#segments = []
    for (const { nodes } of segments) for (const node of nodes) this.#fixed.add(node)
    return segments
  }
}

/** What the record of a segment says. */
export function recordOf({ index, length, shardLength, roots, nodes }: PlacedSegment): Omit<ObjectSegment, 'quorum'> {
  const shards = nodes.map((node, shard): ShardRecord => {
    return { index: shard, node, nodeKey: fromDidKey(node), root: rootOf(roots, shard) }
  })
  return { index, length, shardLength, shards }
}

export function rootOf(roots: Uint8Array, shard: number): Uint8Array {
  return roots.slice(shard * ROOT, (shard + 1) * ROOT)
}

/** A place for the roots of n shards. */
export function newRoots(n: number): Uint8Array {
  return new Uint8Array(n * ROOT)
}

/** A shard lies at this holder now; each holder's has a root of its own, as it is sealed for it. */
export function setPlace({ roots, nodes }: PlacedSegment, shard: number, { holder, root }: StoredAt): void {
  nodes[shard] = holder.id
  roots.set(root, shard * ROOT)
}

function cannotMove(node: DidKey): WeftError {
  return new WeftError({
    code: 'E_PUT_FAILED',
    cause: `…${shortId(node)} fell out of the put after records that name it were written.`,
    fix: 'Put it again, or in files of at most 64 GiB: up to there a holder is replaced.',
    retryable: true,
  })
}
