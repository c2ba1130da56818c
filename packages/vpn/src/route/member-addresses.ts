import { type AddressReach, addressReach } from '@weft/core'
import { type DidKey, fromDidKey } from '@weft/crypto'
import type { Member } from '@weft/overlay'

/** Where a last hop calls a member for its clients: plain data, so that it crosses to a worker. */
export interface MemberAddresses {
  /** 32 bytes, Ed25519: the node's key. */
  readonly key: Uint8Array
  /** At most {@link MAX_ADDRESSES}; none where the member is reached by relays or WebSocket alone. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
}

/** Addresses of a member that are tried: they share the time that a client waits. */
const MAX_ADDRESSES = 2

/**
 * The members and where each takes plain TCP. An address that only has a meaning within a machine or site is left out unless
 * this node is itself listed under such a one: what clients send there must not reach what stands behind a firewall beside this node.
 */
export function memberAddresses(members: readonly Pick<Member, 'id' | 'addresses'>[], self: DidKey): MemberAddresses[] {
  const plain = ({ addresses }: Pick<Member, 'addresses'>): MemberAddresses['addresses'] =>
    addresses.flatMap((text) => {
      const [, host, port] = /^\/ip[46]\/([0-9A-Fa-f.:]+)\/tcp\/(\d{1,5})$/.exec(text) ?? []
      return host === undefined || port === undefined ? [] : [{ host, port: Number(port) }]
    })
  const own = members.find(({ id }) => id === self)
  const callable = new Set<AddressReach>(['global'])
  if (own !== undefined) for (const { host } of plain(own)) callable.add(addressReach(host))
  return members.map((member) => ({
    key: fromDidKey(member.id),
    addresses: plain(member)
      .filter(({ host }) => callable.has(addressReach(host)))
      .slice(0, MAX_ADDRESSES),
  }))
}
