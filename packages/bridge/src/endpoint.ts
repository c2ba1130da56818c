import { isIPv4 } from 'node:net'
import { canonicalHost, ipv6Groups, mappedIPv4 } from '@weft/core'

/** A TCP port of a machine, by its IP address in the canonical spelling (RFC 5952). */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

const PORT_BYTES = 2
const FAMILIES: Readonly<Record<number, number>> = { 4: 4, 6: 16 }

/** Family 1 (4 or 6) ‖ address 4 or 16 ‖ port 2. @throws RangeError for what is no IP address or port, or is IPv4 in IPv6 */
export function encodeEndpoint({ host, port }: Endpoint): Uint8Array {
  if (
    canonicalHost(host) !== host ||
    mappedIPv4(host) !== undefined ||
    !Number.isInteger(port) ||
    port < 1 ||
    port > 65_535
  )
    throw new RangeError('an endpoint is an IP address in its canonical spelling and a port')
  const address = isIPv4(host)
    ? host.split('.').map(Number)
    : ipv6Groups(host).flatMap((group) => {
        const value = Number.parseInt(group, 16)
        return [value >>> 8, value & 0xff]
      })
  return Uint8Array.of(isIPv4(host) ? 4 : 6, ...address, port >>> 8, port & 0xff)
}

/** The endpoint at the start of the bytes and how many it takes; undefined when there is none. */
export function decodeEndpoint(
  bytes: Uint8Array,
): { readonly endpoint: Endpoint; readonly length: number } | undefined {
  const family = bytes[0] ?? 0
  const addressBytes = FAMILIES[family]
  if (addressBytes === undefined) return undefined
  const length = 1 + addressBytes + PORT_BYTES
  if (bytes.length < length) return undefined
  const address = bytes.subarray(1, 1 + addressBytes)
  const host = family === 4 ? address.join('.') : ipv6Of(address)
  const port = ((bytes[length - 2] as number) << 8) | (bytes[length - 1] as number)
  if (host === undefined || port === 0) return undefined
  return { endpoint: { host, port }, length }
}

/** `ADDRESS:PORT`, with IPv6 in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function ipv6Of(address: Uint8Array): string | undefined {
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((address[2 * at] as number) << 8) | (address[2 * at + 1] as number)).toString(16),
  )
  const host = canonicalHost(groups.join(':'))
  return host === undefined || mappedIPv4(host) !== undefined ? undefined : host
}
