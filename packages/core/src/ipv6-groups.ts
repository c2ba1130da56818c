/** The eight groups of a canonical IPv6 address in hexadecimal (RFC 4291, section 2.2; RFC 5952). */
export function ipv6Groups(canonical: string): readonly string[] {
  const [head = '', tail] = canonical.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail === undefined) return groups
  const rest = tail === '' ? [] : tail.split(':')
  return [...groups, ...Array<string>(8 - groups.length - rest.length).fill('0'), ...rest]
}
