/** Seats of validators there can be at most, in any term. */
export const MAX_SEATS = 64

/**
 * How many of `validators` must sign: N - f with f = floor((N - 1) / 3), that is 2f + 1 of N = 3f + 1. Two such sets
 * always share an honest validator while at most f lie. With three validators or fewer f is 0: all must sign, and none
 * may be down.
 */
export function quorumOf(validators: number): number {
  return validators - toleratedFaults(validators)
}

/** How many validators may be down or lie: floor((N - 1) / 3). */
export function toleratedFaults(validators: number): number {
  return Math.floor((validators - 1) / 3)
}
