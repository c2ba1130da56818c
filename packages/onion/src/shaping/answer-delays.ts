import { tierPlans } from './tier-plans.ts'
import type { Tier } from './tier.ts'

/** Of the hop behind the entry. */
const MIDDLE = 1

/**
 * For each hop, the entry first: ms at most by which a tier, at its own times, makes its answer later than that of the hop before. A hop's own answers wait for no delay there, nor
 * do a client's questions; what is asked of the middle and hops behind it waits for the middle towards the exit, and answers of those behind it also towards the client.
 */
export function answerDelays(tier: Tier, hops: number): readonly number[] {
  const middle = tierPlans[tier]?.middle
  const forward = middle?.forward?.delay.most ?? 0
  const backward = middle?.backward?.delay.most ?? 0
  return Array.from({ length: hops }, (_, hop) => (hop < MIDDLE ? 0 : hop === MIDDLE ? forward : backward))
}
