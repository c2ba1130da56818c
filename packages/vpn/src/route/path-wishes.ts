import type { DidKey } from '@weft/crypto'
import type { ExitWish } from './exit-wish.ts'

/** What a client asks of one leg. */
export interface PathWishes {
  /** 2 to 5, 3 by default. */
  readonly hops?: number
  /** Where it leads: out of the network, by default, or to a service of a member, to which relays lead as well. */
  readonly end?: 'exit' | 'service'
  /** `auto` by default. */
  readonly exit?: Exclude<ExitWish, { kind: 'suffix' }>
  /** ms, there and back, from exits to the target of `nearest`, as they measured. */
  readonly nearestMs?: ReadonlyMap<DidKey, number>
  /** Entries that it may start from, the first that fits first: those of `Guards.entries`. Left out: any entry. */
  readonly entries?: readonly DidKey[]
  /** Entries of which one is taken where none of `entries` fits. */
  readonly lastEntries?: readonly DidKey[]
  /** Legs that stay, each from the entry to the exit: none of their entries and relays is taken. */
  readonly beside?: readonly (readonly DidKey[])[]
  /** Nodes that are never taken: this node itself. */
  readonly never?: ReadonlySet<DidKey>
  /** Nodes of other routes: left out where there are others. */
  readonly busy?: ReadonlySet<DidKey>
  /** Nodes that failed lately or cannot be reached, the latest last: taken again only where there are no others, the earliest first. */
  readonly failed?: readonly DidKey[]
  /** Nodes that are called over these routes: entries only where no route begins at another, be that one busy or failed. */
  readonly called?: ReadonlySet<DidKey>
}
