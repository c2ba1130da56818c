import { isIPv6 } from 'node:net'

/** The /24 of an IPv4 address or the /48 of an IPv6 one, as a key to compare; other text stands for itself. */
export function subnetOf(address: string): string {
  if (isIPv6(address)) return `${ipv6Groups(address).slice(0, 3).join(':')}::/48`
  const parts = address.split('.')
  return parts.length === 4 ? `${parts.slice(0, 3).join('.')}.0/24` : address
}

/** The eight groups of an IPv6 address in hex without leading zeros (RFC 4291, section 2.2). */
function ipv6Groups(address: string): string[] {
  const [plain] = address.split('%') as [string]
  const [head = '', tail] = plain.split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const before = groups(head)
  const after = groups(tail ?? '')
  const filled =
    tail === undefined ? before : [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
  return filled.map((group) => (group.includes('.') ? group : Number.parseInt(group, 16).toString(16)))
}
