import { isIPv6 } from 'node:net'
import { canonicalHost, ipv6Groups, isLoopback, mappedIPv4 } from '@weft/core'

/**
 * In whose name uses of an address are counted: an IPv4 address stands for itself, an IPv6 address for its /64, as one
 * host commonly has all of it. An IPv4 address that a dual-stack socket reports in IPv6 form is counted as IPv4.
 * @param address a multiaddr or an IP literal; anything else stands for itself
 */
export function addressGroup(address: string): string {
  const host = /\/ip[46]\/([^/]+)/.exec(address)?.[1] ?? address
  if (!isIPv6(host)) return host
  const canonical = canonicalHost(host)
  // A literal with a zone (fe80::1%eth0) has no canonical form and is its own.
  if (canonical === undefined || isLoopback(canonical)) return canonical ?? host
  return mappedIPv4(canonical) ?? ipv6Groups(canonical).slice(0, 4).join(':')
}
