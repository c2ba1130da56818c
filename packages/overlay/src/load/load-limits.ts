/** Of the protocol (docs/specs/load.md). Times in ms. */

/** Loads are settled, and said, once in each. */
export const SLOT_MS = 10_000
/** A statement that has not changed is said anew after so long at least, and after so much more where many say theirs: 2.5 a second in all. */
const REFRESH_LEAST_MS = 30_000
const REFRESH_EACH_MS = 400
/** So much longer than until it would have been said anew a statement counts. */
const GRACE_MS = 30_000
/** How far the slot of a statement may lie ahead of the receiver's clock. */
export const AHEAD_MS = 30_000
/** Statements that one message may carry. */
export const MAX_TOLD = 64
export const MAX_LISTED = 128

/** Tuning, may differ between nodes. */

/** A change is passed on after so long, to so many neighbours. */
export const CHANGE = { afterMs: 500, fanout: 3 } as const
/** What was said anew, and is as it was, has time: many go together, and who misses one asks. */
export const SAID_ANEW = { afterMs: 3_000, fanout: 2 } as const
/** Between two questions of a node that carries packets, to which others tell theirs, and of one that has asked to be kept up to date. */
export const CARRIER_ASKS_MS = 5_000
export const LIGHT_ASKS_MS = 4_000
/** How long one node is asked before another is. */
export const SOURCE_MS = 30 * 60_000
/** Signatures verified for one sender. */
export const SENDER_RATE = { perSecond: 32, burst: 512 } as const
/** Between two words to listeners, at least. */
export const TOLD_EVERY_MS = 500

/** ms after which one of `count` nodes says its load anew though it is as it was. */
export function refreshMs(count: number): number {
  return Math.max(REFRESH_LEAST_MS, count * REFRESH_EACH_MS)
}

/** ms from the beginning of its slot for which the statement of one of `count` nodes counts: 60 s for up to 75. */
export function lifeMs(count: number): number {
  return refreshMs(count) + GRACE_MS
}
