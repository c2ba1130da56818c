import { canonicalHost, mappedIPv4 } from '@weft/core'
import type { Endpoint } from '@weft/onion'

/** AF_INET and AF_INET6 of Linux. */
export const AF_INET = 2
export const AF_INET6 = 10
export type AddressFamily = typeof AF_INET | typeof AF_INET6

/** Bytes of sockaddr_in6; sockaddr_in has 16 (ip(7), ipv6(7)). */
export const SOCKET_ADDRESS_BYTES = 28
const SOCKET_ADDRESS_V4_BYTES = 16

/**
 * The sockaddr of an endpoint for a socket of `family`, in which an IPv6 socket sees IPv4 as mapped addresses (RFC 4291,
 * section 2.5.5.2). Undefined for what such a socket cannot send to: no IP literal, the other family, a link-local address
 * (it would need an interface), a port that is none.
 */
export function encodeSocketAddress({ address, port }: Endpoint, family: AddressFamily): Uint8Array | undefined {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined
  const canonical = canonicalHost(address)
  if (canonical === undefined || isLinkLocal(canonical)) return undefined
  const isV4 = !canonical.includes(':')
  if (family === AF_INET && !isV4) return undefined
  return encodeCanonical(canonical, port, family)
}

/** Of any canonical IP literal and port: also where a socket is to be bound, when port 0 is a free one. */
export function encodeCanonical(canonical: string, port: number, family: AddressFamily): Uint8Array {
  const bytes = new Uint8Array(family === AF_INET ? SOCKET_ADDRESS_V4_BYTES : SOCKET_ADDRESS_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, family, true)
  view.setUint16(2, port)
  if (family === AF_INET) writeIPv4(bytes, 4, canonical)
  else if (canonical.includes(':')) writeIPv6(view, 8, canonical)
  else {
    bytes.fill(0xff, 18, 20)
    writeIPv4(bytes, 20, canonical)
  }
  return bytes
}

/** The endpoint in a sockaddr that the kernel wrote at `offset`; undefined for one that cannot be answered. */
export function decodeSocketAddress(view: DataView, offset: number): Endpoint | undefined {
  const family = view.getUint16(offset, true)
  const port = view.getUint16(offset + 2)
  if (port === 0) return undefined
  if (family === AF_INET) return { address: readIPv4(view, offset + 4), port }
  if (family !== AF_INET6) return undefined
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(offset + 8 + 2 * i).toString(16))
  const canonical = canonicalHost(groups.join(':')) as string
  return isLinkLocal(canonical) ? undefined : { address: mappedIPv4(canonical) ?? canonical, port }
}

/** fe80::/10 (RFC 4291, section 2.5.6). @param address canonical, or with a zone as the kernel's resolver writes it */
export function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/.test(address)
}

function readIPv4(view: DataView, offset: number): string {
  return `${view.getUint8(offset)}.${view.getUint8(offset + 1)}.${view.getUint8(offset + 2)}.${view.getUint8(offset + 3)}`
}

function writeIPv4(out: Uint8Array, offset: number, address: string): void {
  out.set(address.split('.').map(Number), offset)
}

/** @param address canonical, so that groups are hexadecimal and `::` stands once at most */
function writeIPv6(out: DataView, offset: number, address: string): void {
  const [head = '', tail = ''] = address.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === '' ? [] : tail.split(':')
  for (const [i, group] of first.entries()) out.setUint16(offset + 2 * i, Number.parseInt(group, 16))
  for (const [i, group] of last.entries()) out.setUint16(offset + 2 * (8 - last.length + i), Number.parseInt(group, 16))
}
