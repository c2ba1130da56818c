import { MANY_OBSERVERS, SUSPICION_MAX_MS, SUSPICION_MIN_MS } from './liveness-limits.ts'

/**
 * How long a neighbour has to be silent before it counts as down, ms, when `others` further observers confirm it: the
 * more they are the sooner, each one saving less than the one before (Lifeguard, section IV-B).
 */
export function suspicionTimeout(others: number): number {
  const part = Math.log(Math.min(others, MANY_OBSERVERS) + 1) / Math.log(MANY_OBSERVERS + 1)
  return SUSPICION_MAX_MS - (SUSPICION_MAX_MS - SUSPICION_MIN_MS) * part
}
