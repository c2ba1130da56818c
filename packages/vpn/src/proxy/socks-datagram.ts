import { isIPv6 } from 'node:net'
import { ipToBytes } from '@weft/onion'
import { IPV4, IPV6, NAME, hostOf } from './socks-address.ts'

/** What the header of a datagram from a program says (RFC 1928, section 7), and where the program's bytes begin. */
export interface SocksDatagram {
  readonly host: string
  readonly port: number
  readonly start: number
}

/** Reads the header; undefined when it is none, or of a fragment: this proxy puts none together, and drops them as the RFC says. */
export function readSocksDatagram(bytes: Uint8Array): SocksDatagram | undefined {
  const [reservedHigh, reservedLow, fragment, type, first] = bytes
  if (reservedHigh !== 0 || reservedLow !== 0 || fragment !== 0) return undefined
  const from = type === NAME ? 5 : 4
  const size = type === IPV4 ? 4 : type === IPV6 ? 16 : type === NAME ? (first ?? 0) : 0
  const start = from + size + 2
  if (size === 0 || bytes.length < start) return undefined
  const port = ((bytes[start - 2] as number) << 8) | (bytes[start - 1] as number)
  const host = port === 0 ? undefined : hostOf(type as number, bytes.subarray(from, from + size))
  return host === undefined ? undefined : { host, port, start }
}

/** The header of a datagram to a program: the address that it came from. @param address IP literal */
export function socksDatagramHeader(address: string, port: number): Uint8Array {
  const raw = ipToBytes(address) ?? new Uint8Array(4)
  return Uint8Array.of(0, 0, 0, isIPv6(address) ? IPV6 : IPV4, ...raw, port >> 8, port & 0xff)
}
