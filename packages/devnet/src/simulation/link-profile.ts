import type { Site } from './site.ts'

/** What the links between simulated machines are like. */
export interface LinkProfile {
  /** ms one way between machines of two regions, or of one. */
  readonly latencyMs: (from: string, to: string) => number
  /** ms: up to so much is added to each crossing, evenly distributed. */
  readonly jitterMs: number
  /** Part of the packets that are lost on the way, from 0 to 1. */
  readonly loss: number
  /** Bytes per ms that a machine sends at most; what it sends more waits in line. */
  readonly bytesPerMs: number
  /** Whether a machine lets nobody in who dials from there. */
  readonly drops?: (from: Site, to: Site) => boolean
  /** Bytes per ms of machines at these addresses, both ways. */
  readonly slow?: ReadonlyMap<string, number>
}

/** ms one way; both directions are alike. */
const BETWEEN: Readonly<Record<string, number>> = {
  'europe north-america': 45,
  'asia north-america': 75,
  'asia europe': 85,
}
const WITHIN_MS = 8
const ELSEWHERE_MS = 60

/**
 * The internet between data centres, in round figures: within a region 8 ms one way, between two what light in fibre
 * takes for the detours that cables make. 5 ms of jitter, a loss of 0.1 %, 100 Mbit/s a machine.
 */
export const INTERNET: LinkProfile = {
  latencyMs(from, to) {
    if (from === to) return WITHIN_MS
    return BETWEEN[[from, to].toSorted().join(' ')] ?? ELSEWHERE_MS
  },
  jitterMs: 5,
  loss: 0.001,
  bytesPerMs: 12_500,
}
