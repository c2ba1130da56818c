import { isIPv4, isIPv6 } from 'node:net'
import type { Refusal } from '../codec/strict-values.ts'

/** Where a node listens: an IP address, a TCP port, and whether WebSocket is spoken there. */
export interface NodeAddress {
  /** An IPv4 or IPv6 literal. */
  readonly host: string
  readonly port: number
  readonly websocket: boolean
}

/** Longest address as text: `/ip6/` + 39 + `/tcp/65535/ws`. */
export const MAX_ADDRESS_LENGTH = 64

const FORM = /^\/(ip4|ip6)\/([0-9a-fA-F.:]+)\/tcp\/([1-9][0-9]{0,4})(\/ws)?$/

/**
 * Reads a multiaddr of the two forms that this version dials: `/ip4|ip6/ADDRESS/tcp/PORT[/ws]`. Names (dns4) are left
 * out on purpose: diversity rules and dial-back need the address itself, and a name can be pointed elsewhere later.
 * An address has one spelling here, its canonical one, and IPv4 is never written as IPv6: otherwise one host could
 * pass for several.
 */
export function parseNodeAddress(text: string): NodeAddress | undefined {
  if (text.length > MAX_ADDRESS_LENGTH) return undefined
  const match = FORM.exec(text)
  if (match === null) return undefined
  const [, family, host = '', port, websocket] = match
  if (canonicalHost(host) !== host || isIPv4(host) !== (family === 'ip4')) return undefined
  if (mappedIPv4(host) !== undefined) return undefined
  if (Number(port) > 65_535) return undefined
  return { host, port: Number(port), websocket: websocket !== undefined }
}

/** @throws refusal when it is not an address that can be dialled. */
export function nodeAddressOf(value: unknown, path: string, refuse: Refusal): string {
  if (typeof value !== 'string' || parseNodeAddress(value) === undefined) {
    const seen = typeof value === 'string' ? `'${value.slice(0, 80)}'` : typeof value
    throw refuse(`${path} must be an address like /ip4/192.0.2.1/tcp/4780, in its canonical spelling, and is ${seen}`)
  }
  return value
}

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
