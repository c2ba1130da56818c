import type { CircuitEvidence } from '@weft/onion'
import type { Contradiction } from './hop-claims.ts'

/** forward: towards the exit. */
export type Direction = 'forward' | 'backward'

/**
 * Where something was found. link: on the way between the hop before (this node for the entry) and this hop, which is to say at one of the
 * two or between them. hop: at the hop itself, as it says.
 */
export interface Place {
  readonly part: 'link' | 'hop'
  readonly hop: number
  readonly direction: Direction
}

/** Loss that was placed. */
export interface PlacedLoss extends Place {
  readonly percent: number
  /** What it was found by: cells, and how many of them were lost. */
  readonly sent: number
  readonly lost: number
  /** The chance of so much at this place by accident. */
  readonly chance: number
  /** Monotonic ms. */
  readonly sinceMs: number
}

/** Delay that was added at a link or the hop behind it, there and back. */
export interface PlacedDelay {
  readonly hop: number
  readonly addedMs: number
  readonly sinceMs: number
}

export interface PlacedContradiction extends Contradiction {
  readonly sinceMs: number
}

/** Percent of the cells of a link, of late; undefined where too few went over it. */
export interface LinkLoss {
  readonly forward: number | undefined
  readonly backward: number | undefined
}

/** What a client knows of one leg's way: plain data, to be told across threads. Lists are by hop, the entry first. */
export interface LegEvidence extends CircuitEvidence {
  /** Of the link before each hop. */
  readonly linkLoss: readonly LinkLoss[]
  readonly losses: readonly PlacedLoss[]
  readonly delays: readonly PlacedDelay[]
  readonly contradictions: readonly PlacedContradiction[]
  /** Monotonic ms at which this was so. */
  readonly atMs: number
}
