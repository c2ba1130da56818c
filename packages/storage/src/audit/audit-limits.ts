/** Leaves that an auditor asks for: 1 % of them missing is found with 1 - 0.99^460 = 99 %. */
export const DRAWN_LEAVES = 460
/** Shards that one auditor asks for by name at most: three ask for 480 together. */
export const ASKED_NAMES = 160
/** Leaves or names in one question; their answers stay within the limit of the method. */
export const ITEMS_PER_QUESTION = 16
/** Auditors of a holder in an epoch. */
export const AUDITORS = 3
/** Times that a holder is asked again before its silence counts. */
export const RECHECKS = 3
/** Most leaves of a manifest: 16 TiB. */
export const MAX_LEAVES = 2 ** 32 - 1
/** Shards whose lease is over within this are in no manifest and count for nothing, ms: clocks differ. */
export const LEAST_LEFT_MS = 60 * 60_000
