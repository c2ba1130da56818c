import type { DidKey } from '@weft/crypto'
import type { HopRole } from '../vpn.ts'
import type { RouteMember } from './route-member.ts'
import type { Conflict } from './route-marks.ts'

/** How a node came to its position. */
export interface ChosenHop {
  readonly member: RouteMember
  readonly role: HopRole
  /** Nodes that fitted here, itself included. */
  readonly candidates: number
  /** 1/16 to 1. 1 for a guard: guards are not weighed here. */
  readonly weight: number
  /** How likely it was to be drawn, 0 to 1; 1 for a guard. */
  readonly share: number
  /** Bits: of the weights, before they were flattened, and the least that the draw has. */
  readonly bits: number
  readonly floorBits: number
}

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

/** Why a member did not come into question for a position. */
export type DiscardReason =
  | Conflict
  | 'role'
  | 'excluded'
  | 'country'
  | 'wish'
  | 'farther'
  | 'no-guard'
  | 'called'
  | 'failed'
  | 'busy'
  | 'saturated'
  | 'red'

export interface Discard {
  readonly node: DidKey
  readonly reason: DiscardReason
  /** Of a conflict: with whom; empty otherwise. */
  readonly beside: DidKey | ''
}

/** Plain data: how a position was filled, for people and programs. */
export interface PositionExplanation {
  readonly leg: number
  readonly hop: number
  readonly role: HopRole
  readonly node: DidKey
  readonly candidates: number
  readonly weight: number
  readonly share: number
  readonly bits: number
  readonly floorBits: number
  /** Each member of the map that did not come into question, with one reason. */
  readonly discarded: readonly Discard[]
}

/** Legs that were chosen together; all end at one exit. */
export interface PathSet {
  readonly exit: RouteMember
  /** Those in use first, the spare last; fewer than asked for where `notes` say so. */
  readonly legs: readonly PathLeg[]
  readonly notes: readonly PathNote[]
  /** Worked out when it is asked for: some ms for 10,000 members. */
  explain(): readonly PositionExplanation[]
}

const WORDS: Readonly<Record<DiscardReason, string>> = {
  chosen: 'already in the route',
  family: 'same family',
  network: 'same network',
  as: 'same AS',
  role: 'not of the role',
  excluded: 'never taken: this node itself, or one that cannot be called',
  country: 'in a country that is to be avoided',
  wish: 'not the exit that was asked for',
  farther: 'farther from the target than others',
  'no-guard': 'none of the guards that routes begin at now',
  called: 'called over these routes, so not their entry',
  failed: 'failed lately, or cannot be reached',
  busy: 'in another route',
  saturated: 'saturated, by its own word',
  red: 'unhealthy, as this client measured',
}

/** A reason in words. */
export function discardWords(reason: DiscardReason): string {
  return WORDS[reason]
}
