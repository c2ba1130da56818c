import type { DidKey } from '@weft/crypto'
import type { Member } from '../member.ts'

/** What a lookup found by one map, and how sure that is. */
export interface LookupOutcome {
  /** The members that were found to be closest to the target, nearest first; each was proven to be in the signed map. */
  readonly members: readonly Member[]
  /** Which nodes named each of `members`. */
  readonly namedBy: ReadonlyMap<DidKey, readonly DidKey[]>
  /** Nodes whose answer was exactly `members`. */
  readonly agreeing: readonly DidKey[]
  /** Nodes that answered and left out some of `members`, though the same map has them. */
  readonly differing: readonly DidKey[]
  /** Nodes that gave no usable answer in time. */
  readonly failed: readonly DidKey[]
  /** Fewer members than the map has, or farther ones than chance explains: some were kept back by all who answered. */
  readonly doubtful: boolean
  /** Questions one after the other in the path that needed most. */
  readonly hops: number
}

/** The holders of a key, found without the whole map. */
export interface LookupResult extends LookupOutcome {
  /** Of the signed map that the answers were proven by. */
  readonly epoch: number
  /** Members that this map has and that hold records. */
  readonly count: number
  /** The map is older than three epochs: no newer one was told of. */
  readonly stale: boolean
}
