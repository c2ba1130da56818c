import type { RouteProfile } from '../profile/route-profile.ts'
import type { ClientRoutesInit } from './client-routes.ts'
import { DEFAULT, TUN_ROUTES } from './isolated-routes.ts'
import type { LegNumbers } from './path-set.ts'

/** What routes of one use have that those of others may not. */
export type RouteKind = Pick<ClientRoutesInit, 'end' | 'legs' | 'spares' | 'tier' | 'isNearest' | 'rotationMs'>

/** Circuits to other exits that stand ready. */
const OTHER_EXITS = 2
/** What connections of a user and password, or to a group of destinations, go over. */
const LEGS_OF_ISOLATED: LegNumbers = { used: 1, reserve: 1 }

/**
 * @param name of the routes, as `IsolatedRoutes` has it; undefined for those to services of members
 * @param profile as it is at the moment
 */
export function routeKind(name: string | undefined, profile: () => RouteProfile): RouteKind {
  // Connections to services of members are short.
  if (name === undefined) return { end: 'service', spares: 0 }
  const isShared = name === DEFAULT || name === TUN_ROUTES
  return {
    end: 'exit',
    legs: isShared ? () => ({ used: profile().legs, reserve: 1 }) : () => LEGS_OF_ISOLATED,
    spares: isShared ? OTHER_EXITS : 0,
    tier: () => profile().tier,
    isNearest: () => profile().exit === 'nearest',
    // All of the machine is one stream, which stays where it is, and its names are asked for where that leaves.
    ...(name === TUN_ROUTES ? {} : { rotationMs: () => profile().rotationMs }),
  }
}
