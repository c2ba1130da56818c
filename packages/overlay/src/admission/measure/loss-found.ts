import type { LossCount } from './gauges.ts'

const MILLION = 1_000_000
/** How sure it must be that a claim does not hold: one honest node in a hundred would lose so many by chance. */
const LIKELY = 0.99

/**
 * The loss, of a million, that a count speaks for: what is claimed, unless a line that loses no more would hardly have lost
 * so many (binomial distribution, one-sided). A few hundred packets tell a loss of a thousandth from one of a hundredth, no more.
 */
export function lossFound({ sent, lost }: LossCount, claimedPpm: number): number {
  if (lost === 0 || claimedPpm >= MILLION) return claimedPpm
  const p = claimedPpm / MILLION
  // The chance of fewer than `lost` losses; each term from the one before.
  let term = (1 - p) ** sent
  let fewer = 0
  for (let k = 0; k < lost; k++) {
    fewer += term
    term *= ((sent - k) / (k + 1)) * (p / (1 - p))
  }
  return fewer < LIKELY ? claimedPpm : Math.max(claimedPpm + 1, Math.ceil((lost / sent) * MILLION))
}
