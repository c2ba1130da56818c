import { isIPv4 } from 'node:net'
import { canonicalHost, ipv6Groups, mappedIPv4 } from '@weft/core'

/**
 * The network that an address belongs to in diversity rules, of records and of shards alike: its /24 (IPv4) or its /48
 * (IPv6). An IPv4 address is one however it is written, also as ::ffff:192.0.2.1. Text that is neither is its own
 * network, so that a strange entry of the map never counts as different from itself.
 */
export function networkPrefix(address: string): string {
  const canonical = canonicalHost(address)
  if (canonical === undefined) return address
  const v4 = isIPv4(canonical) ? canonical : mappedIPv4(canonical)
  if (v4 !== undefined) return `${v4.split('.').slice(0, 3).join('.')}.0/24`
  return `${ipv6Groups(canonical).slice(0, 3).join(':')}::/48`
}
