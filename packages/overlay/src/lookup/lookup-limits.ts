import { RECORD_HOLDERS } from '../records/quorum.ts'

/** Limits of the protocol (docs/specs/lookup.md); both sides keep to them. */

/** k: members that an answer names, or all when the map has fewer. A lookup is for the holders of a record. */
export const CLOSEST = RECORD_HOLDERS
/** Positions that a question says are known. */
export const MAX_KNOWN = 64

/** Tuning of the side that asks; may differ from node to node. */
export interface LookupLimits {
  /** d: paths that share no node. One honest node that holds the map is enough (docs/specs/lookup.md, Why one is enough). */
  readonly paths: number
  /** alpha: questions under way in one path; a second and third one only beside nodes that are slow. */
  readonly parallel: number
  /** Nodes that one path asks at most, so that answers that lead on and on come to an end. */
  readonly perPath: number
  /** Nodes that a lookup asks at most, those of paths that were added included. */
  readonly questions: number
  /** Members that a path remembers to ask; the nearest. */
  readonly shortlist: number
  /** ms of silence after which a path asks another node beside. */
  readonly patienceMs: number
  /** ms after which a path gives a node up; what it says later is still taken as long as the lookup lasts. */
  readonly deadlineMs: number
  /** ms that a lookup takes at most. */
  readonly totalMs: number
}

export const LOOKUP_LIMITS: LookupLimits = {
  paths: 8,
  parallel: 3,
  perPath: 6,
  questions: 64,
  shortlist: 3 * CLOSEST,
  patienceMs: 500,
  deadlineMs: 3_000,
  totalMs: 10_000,
}
