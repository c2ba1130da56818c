const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Furthest that what a node outside of the map leaves with others may expire, ms from now: the 30 days that an object is
 * kept by default, and room for a clock that is off. Identities outside of the map cost nothing, and leases are not paid
 * for yet; what one leaves behind must not stay for a year.
 */
export const MAX_STRANGER_LIFETIME_MS = 32 * DAY_MS
