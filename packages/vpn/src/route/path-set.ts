import type { DidKey } from '@weft/crypto'
import type { ChosenHop } from './chosen-hop.ts'
import type { PositionRecord } from './position-record.ts'
import type { RouteMember } from './route-member.ts'

export interface PathLeg {
  readonly use: 'active' | 'spare'
  /** From the entry to the exit. */
  readonly hops: readonly ChosenHop[]
}

/** Where the map did not allow what was asked for. */
export interface PathNote {
  /**
   * `leg-missing`: no further leg has an entry of its own, or a relay. `legs-related`: this node has its family, network or AS in common with another leg.
   * `relay-shared`: it is a relay of another leg as well.
   */
  readonly kind: 'leg-missing' | 'legs-related' | 'relay-shared'
  readonly leg: number
  /** Empty for a leg that is missing. */
  readonly node: DidKey | ''
}

/** Legs that were chosen together; all end at one exit. */
export interface PathSet {
  readonly exit: RouteMember
  /** Those in use first, the spare last; fewer than asked for where `notes` say so. */
  readonly legs: readonly PathLeg[]
  readonly notes: readonly PathNote[]
  /** Worked out when it is asked for: some ms for 10,000 members. */
  explain(): readonly PositionRecord[]
}
