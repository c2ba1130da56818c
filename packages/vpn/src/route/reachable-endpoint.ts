import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { isLoopback } from '@weft/core'
import type { Endpoint } from '@weft/onion'
import type { RouteMember } from './route-member.ts'

/** What of a machine decides where it can send to. */
export interface OwnAddresses {
  /** What its socket is bound to. */
  readonly bound: string
  readonly interfaces?: () => NodeJS.Dict<readonly Pick<NetworkInterfaceInfo, 'address' | 'internal'>[]>
}

/**
 * The first address of a member that this machine can send to: by its socket, and by a family that it has an address of its own in. The first of
 * all where there is none.
 */
export function reachableEndpoint(
  { endpoint, moreEndpoints = [] }: Pick<RouteMember, 'endpoint' | 'moreEndpoints'>,
  { bound, interfaces = networkInterfaces }: OwnAddresses,
): Endpoint {
  if (moreEndpoints.length === 0) return endpoint
  const own = Object.values(interfaces())
    .flatMap((addresses) => addresses ?? [])
    // A link-local address (RFC 4291, section 2.5.6) is on every interface, and leads nowhere.
    .filter(({ address, internal }) => !internal && !/^fe[89ab]/.test(address))
  const canSend = (address: string): boolean => {
    const isIPv6 = address.includes(':')
    if (bound !== '::' && bound.includes(':') !== isIPv6) return false
    return isLoopback(address) || own.some((each) => each.address.includes(':') === isIPv6)
  }
  return [endpoint, ...moreEndpoints].find(({ address }) => canSend(address)) ?? endpoint
}
