import type { DidKey } from '@weft/crypto'
import type { LegEvidence } from '../health/leg-evidence.ts'
import type { HopHealthStatus } from '../health/leg-health.ts'
import type { HopCounted, HopRole, HopStatus, LegState, LegVerification } from '../vpn.ts'

export interface VerifiedLeg {
  readonly state: LegState
  readonly hops: readonly HopStatus[]
  readonly known: readonly HopHealthStatus[]
  readonly evidence: LegEvidence
  readonly answered: readonly boolean[]
  /** What each hop said last. */
  readonly counted: readonly (HopCounted | undefined)[]
}

/** What is known of one leg, as it is told to its user: nodes for places, and for how long instead of since when. */
export function legVerification(leg: VerifiedLeg): Omit<LegVerification, 'use' | 'number'> {
  const { state, hops, known, evidence, answered, counted } = leg
  const { atMs, sealed, opened, verified, rejected } = evidence
  const at = (hop: number): { node: DidKey; role: HopRole } => {
    const { node, role } = hops[hop] as HopStatus
    return { node, role }
  }
  const forMs = (sinceMs: number): number => Math.max(0, atMs - sinceMs)
  return {
    state,
    sent: sealed[0] ?? 0,
    verified,
    rejected,
    hops: hops.map(({ health, reason }, hop) => ({
      ...at(hop),
      answered: answered[hop] === true,
      sent: sealed[hop] ?? 0,
      verified: opened[hop] ?? 0,
      counted: counted[hop],
      lossForwardPercent: known[hop]?.linkLoss.forward,
      lossBackwardPercent: known[hop]?.linkLoss.backward,
      health,
      reason,
    })),
    losses: evidence.losses.map(({ hop, sinceMs, ...loss }) => ({ ...at(hop), ...loss, forMs: forMs(sinceMs) })),
    delays: evidence.delays.map(({ hop, addedMs, sinceMs }) => ({ ...at(hop), addedMs, forMs: forMs(sinceMs) })),
    contradictions: evidence.contradictions.map(({ hops: named, what, sinceMs }) => ({
      nodes: named.map((hop) => at(hop).node),
      what,
      forMs: forMs(sinceMs),
    })),
  }
}
