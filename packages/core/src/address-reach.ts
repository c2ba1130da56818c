import { BlockList, isIPv6 } from 'node:net'
import { canonicalHost, mappedIPv4 } from './ip-address.ts'

/**
 * From where an address means the same machine: from everywhere, within one site only, or nowhere that another node
 * could rely on (this machine, this link, a group, a protocol's own range).
 */
export type AddressReach = 'global' | 'private' | 'special'

/** RFC 1918, RFC 6598 (shared), RFC 4193. */
const PRIVATE = blockList(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'])

/**
 * The special-purpose ranges of RFC 6890 that are not global, with multicast (RFC 5771, RFC 4291), 6to4 and its relays
 * (RFC 3056, RFC 7526), NAT64 (RFC 6052, RFC 8215), IPv4-translated addresses (RFC 2765), the deprecated site-local range
 * (RFC 3879), the dummy prefix (RFC 9780) and identifiers of segment routing (RFC 9602). And the one address outside of all
 * such ranges by which a big cloud speaks to each of its machines (Azure); those of others are in these ranges or private.
 * The ranges for documentation are left out: nobody stands there, so that a dial harms no one, and examples and tests use them.
 */
const SPECIAL = blockList([
  '0.0.0.0/8',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '::ffff:0:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '100:0:0:1::/64',
  '2001::/23',
  '2002::/16',
  '5f00::/16',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
])

/** @param host an IP literal; anything else reaches nobody */
export function addressReach(host: string): AddressReach {
  const canonical = canonicalHost(host)
  if (canonical === undefined) return 'special'
  const family = isIPv6(host) ? 'ipv6' : 'ipv4'
  // An IPv4-mapped address is never used on the wire (RFC 6890); in a BlockList its range would take in all of IPv4.
  if (SPECIAL.check(host, family) || mappedIPv4(canonical) !== undefined) return 'special'
  return PRIVATE.check(host, family) ? 'private' : 'global'
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', bits] = range.split('/')
    list.addSubnet(network, Number(bits), isIPv6(network) ? 'ipv6' : 'ipv4')
  }
  return list
}
