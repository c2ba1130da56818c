import { BlockList, isIPv6 } from 'node:net'

/** Multicast (RFC 5771, RFC 4291, section 2.7) and the limited broadcast (RFC 919): one datagram for many who did not ask. */
const GROUPS = new BlockList()
GROUPS.addSubnet('224.0.0.0', 4, 'ipv4')
GROUPS.addAddress('255.255.255.255', 'ipv4')
GROUPS.addSubnet('ff00::', 8, 'ipv6')

/** @param address an IP literal */
export function isGroup(address: string): boolean {
  return GROUPS.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
