import type { ProfileIsolation, ProfileTier } from './profile.ts'

/** How routes are made: the part of a profile that the packet thread follows at once. Plain data. */
export interface RouteProfile {
  /** An exit wish in its written form (route/exit-wish.ts). */
  readonly exit: string
  /** 2 to 5. */
  readonly hops: number
  readonly tier: ProfileTier
  /** Circuits to the exit that are in use at once. */
  readonly legs: 1 | 2
  readonly isolation: ProfileIsolation
  /** ms after which new streams take new routes. */
  readonly rotationMs: number
}

/** Of a node whose profile says nothing. */
export const DEFAULT_ROUTE_PROFILE: RouteProfile = {
  exit: 'auto',
  hops: 3,
  tier: 'standard',
  legs: 2,
  isolation: 'credentials',
  rotationMs: 600_000,
}
