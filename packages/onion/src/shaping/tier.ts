/**
 * How much a circuit does against traffic analysis, and so what it costs. What each does stands in {@link tierPlans}; what it is worth is measured
 * by bench/vpn-tiers. The place in the list is the number on the wire (docs/specs/packets.md, Tiers).
 */
export const TIERS = ['off', 'standard', 'high'] as const

export type Tier = (typeof TIERS)[number]

/** The lower of the two. */
export function lowerTier(one: Tier, other: Tier): Tier {
  return TIERS.indexOf(one) < TIERS.indexOf(other) ? one : other
}
