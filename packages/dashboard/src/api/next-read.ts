/** A burst of events (a node dies: a dozen at once) becomes one read; ms. */
export const GATHER_MS = 150

/**
 * How long to wait, ms, with what an event calls for.
 * @param now ms since the epoch
 * @param last when the newest read ended, in the same; undefined before the first
 * @param restMs that must lie between two reads
 */
export function nextReadIn(now: number, last: number | undefined, restMs: number): number {
  const rested = last === undefined ? 0 : last + restMs - now
  // A clock that was set back must not put it off.
  return Math.max(GATHER_MS, Math.min(rested, restMs))
}
