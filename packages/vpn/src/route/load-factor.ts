import { FULL, type LoadStep } from '@weft/overlay'

/** What each step above the usual one leaves of a weight: nodes stay together, since who has more than the others gets much less of what comes. */
const OF_A_STEP = 0.3
/** What is left where it is full, and the others are not: it serves where nobody else can. */
const OF_FULL = 0.000_5

/** Mbit/s that count for a node of which nothing was measured, and the bounds within which measured ones count. */
const UNMEASURED_MBPS = 100
const LEAST_MBPS = 10
const MOST_MBPS = 1_000

/**
 * The part of its weight for a new session or circuit that a node's load leaves, above 0 and up to 1.
 *
 * Only who is above the usual step of all candidates loses by what it says, and nobody gains: a node that always calls itself idle has the weight of
 * an honest one at the usual step, and so has one whose load is not known, since what is known may be chosen by who passed it on.
 * @param step what it says of its load; undefined where that is not known, or too old
 * @param usual {@link usualStep} of all candidates
 */
export function loadFactor(step: LoadStep | undefined, usual: LoadStep): number {
  const above = Math.max(0, (step ?? usual) - usual)
  return step === FULL && above > 0 ? OF_FULL : OF_A_STEP ** above
}

/** The step at or below which nodes with half of the capacity of all candidates are, or more, of those whose step is known; 0 where none is. */
export function usualStep(
  candidates: Iterable<{ readonly step: LoadStep | undefined; readonly claimedCapacity?: number | undefined }>,
): LoadStep {
  const capacities = [0, 0, 0, 0, 0]
  for (const { step, claimedCapacity } of candidates)
    if (step !== undefined) capacities[step] = (capacities[step] as number) + capacityOf(claimedCapacity)
  const half = capacities.reduce((sum, each) => sum + each, 0) / 2
  let sofar = 0
  return Math.max(
    0,
    capacities.findIndex((each) => (sofar += each) >= half),
  ) as LoadStep
}

function capacityOf(claimed = UNMEASURED_MBPS): number {
  return Math.min(MOST_MBPS, Math.max(LEAST_MBPS, claimed))
}
