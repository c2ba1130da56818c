import { isIPv4 } from 'node:net'
import { canonicalHost, ipv6Groups, mappedIPv4 } from '@weft/core'
import { fromDidKey } from '@weft/crypto'
import { type Member, parsePacketAddress } from '@weft/overlay'
import type { RouteMember } from './route-member.ts'

/** The members of the signed map that carry packets, in the form that the packet path takes. */
export function routeMembers(members: readonly Member[]): RouteMember[] {
  return members.flatMap((member): RouteMember[] => {
    const { packets } = member
    const [endpoint, ...moreEndpoints] = (packets?.addresses ?? [])
      .flatMap((text) => parsePacketAddress(text) ?? [])
      .map(({ host, port }) => ({ address: host, port }))
    if (packets === undefined || endpoint === undefined) return []
    return [
      {
        id: member.id,
        key: fromDidKey(member.id),
        roles: member.roles,
        endpoint,
        moreEndpoints,
        linkKey: packets.linkKey,
        onionKey: packets.onionKey,
        family: member.family,
        prefix: routePrefix(member.diversityAddress),
        asn: member.asn,
        country: member.country,
        region: member.region,
        simulated: member.simulated,
        bandwidthMbps: member.measured?.bandwidthMbps,
      },
    ]
  })
}

/**
 * The network that an address belongs to when a route is chosen: its /16, or the /32 of an IPv6 address, which is commonly one
 * provider's. Wider than what placement of shards looks at: one who watches a network sees all links in it.
 */
export function routePrefix(address: string): string {
  const canonical = canonicalHost(address)
  if (canonical === undefined) return address
  const v4 = isIPv4(canonical) ? canonical : mappedIPv4(canonical)
  if (v4 !== undefined) return `${v4.split('.').slice(0, 2).join('.')}.0.0/16`
  return `${ipv6Groups(canonical).slice(0, 2).join(':')}::/32`
}
