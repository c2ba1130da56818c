import type { Member } from '../member.ts'
import { parseRelayedAddress } from '../network/relayed-address.ts'

/** Whether a certified node carries connections for others: it has the role, and is itself not behind a relay. */
export function isRelay({ roles, addresses }: Pick<Member, 'roles' | 'addresses'>): boolean {
  return roles.includes('relay') && addresses.some((address) => parseRelayedAddress(address) === undefined)
}
