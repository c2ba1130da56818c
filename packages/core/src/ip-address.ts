import { isIPv4, isIPv6 } from 'node:net'

/** The one spelling of an IP literal (RFC 5952, section 4); undefined when it is none. */
export function canonicalHost(host: string): string | undefined {
  if (isIPv4(host)) return host
  if (!isIPv6(host)) return undefined
  // The WHATWG serialiser writes the form of RFC 5952, with an embedded IPv4 address in hexadecimal.
  return URL.parse(`http://[${host}]`)?.hostname.slice(1, -1)
}

/** The IPv4 address in a canonical IPv4-mapped one (RFC 4291, section 2.5.5.2): 192.0.2.1 of ::ffff:c000:201. */
export function mappedIPv4(canonical: string): string | undefined {
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? []
  if (high === undefined || low === undefined) return undefined
  return [high, low].flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]).join('.')
}

/** 127.0.0.0/8 (RFC 1122, section 3.2.1.3) and ::1 (RFC 4291, section 2.5.3). */
export function isLoopback(host: string): boolean {
  return (isIPv4(host) && host.startsWith('127.')) || host === '::1'
}

/** 0.0.0.0 and :: name no host: nobody can dial them. */
export function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || /^[0:]+$/.test(host)
}
