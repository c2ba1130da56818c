import { isTargetHost } from '@weft/onion'

/** Address types of RFC 1928, section 4. */
export const IPV4 = 1
export const NAME = 3
export const IPV6 = 4

/** The host of an address of SOCKS; undefined when the bytes of a name are none. */
export function hostOf(type: number, address: Uint8Array): string | undefined {
  if (type === IPV4) return address.join('.')
  if (type === IPV6) {
    const groups = Array.from({ length: 8 }, (_, index) =>
      (((address[2 * index] as number) << 8) | (address[2 * index + 1] as number)).toString(16),
    )
    return URL.parse(`http://[${groups.join(':')}]`)?.hostname.slice(1, -1)
  }
  // Names in other scripts come as punycode (RFC 5891).
  const name = String.fromCharCode(...address)
  return isTargetHost(name) ? name : undefined
}
