/** How packets travel where each is not a UDP datagram by itself: in two of them, or in TLS over TCP. */
type Carriage = 'halves' | 'tls'

/** Where packets go: canonical IP literal and port, of UDP unless `over` says otherwise. Objects of this kind never change. */
export interface Endpoint {
  readonly address: string
  readonly port: number
  readonly over?: Carriage
}

export function isSameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a === b || (a.port === b.port && a.address === b.address && a.over === b.over)
}

/** What limits count by: an IPv4 address, or the /64 of an IPv6 address, which one customer usually has to itself. */
export function limitPrefix(address: string): string {
  if (!address.includes(':')) return address
  const [head, tail] = address.split('::') as [string, string?]
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const rest = tail === '' ? [] : tail.split(':')
    while (groups.length + rest.length < 8) groups.push('0')
    groups.push(...rest)
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}

/**
 * The network of what {@link limitPrefix} gives, whose owner has many such prefixes: the /48 of a /64, which is what one customer gets at
 * most as a rule (RFC 6177), or the /24 of an IPv4 address.
 */
export function limitNetwork(prefix: string): string {
  if (prefix.includes(':')) return `${prefix.split(':', 3).join(':')}::/48`
  return `${prefix.slice(0, prefix.lastIndexOf('.'))}.0/24`
}
