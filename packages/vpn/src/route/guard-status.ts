import type { GuardStatus } from '../vpn.ts'
import type { Guard } from './guard-state.ts'

const DAY = 24 * 60 * 60_000
/** A guard is kept for so long, and one that left the map for so long behind that; both ms. */
export const LIFETIME_MS = 120 * DAY
export const UNLISTED_MS = 20 * DAY

export interface GuardStanding {
  readonly primary: boolean
  /** It is in the map and can be called. */
  readonly isUsable: boolean
  /** Circuits behind it are lost that are not behind others. */
  readonly isDoubted: boolean
  /** ms since the Unix epoch: when one that is silent is tried again. */
  readonly retryAt: number | undefined
}

/** A guard as it is told to its user. */
export function guardStatus(guard: Guard, { primary, isUsable, isDoubted, retryAt }: GuardStanding): GuardStatus {
  const { id, since, confirmed, unlistedSince } = guard
  const over = since + LIFETIME_MS
  return {
    node: id,
    primary,
    since,
    until: unlistedSince === undefined ? over : Math.min(over, unlistedSince + UNLISTED_MS),
    answered: confirmed,
    state: unlistedSince === undefined ? stateOf(isUsable, retryAt !== undefined, isDoubted) : 'unlisted',
    retryAt,
    unlistedSince,
  }
}

function stateOf(isUsable: boolean, isSilent: boolean, isDoubted: boolean): GuardStatus['state'] {
  if (!isUsable) return 'not-called'
  if (isSilent) return 'silent'
  return isDoubted ? 'doubted' : 'ready'
}
