import type { Member } from '../member.ts'
import { parseRelayedAddress } from '../network/relayed-address.ts'

/** A validator is dialled by everybody, so that relays must not stand between. */
export function directAddresses({ addresses }: Pick<Member, 'addresses'>): readonly string[] {
  return addresses.filter((address) => parseRelayedAddress(address) === undefined)
}
