import { adjusted, sumOf } from './checksum.ts'
import { type IpHeader, PROTOCOL, isAddressAt, setU16, u16 } from './ip-header.ts'

/** Where the checksum of a protocol that takes in addresses stands, from its header on. */
const CHECKSUM_AT: Readonly<Record<number, number>> = {
  [PROTOCOL.tcp]: 16,
  [PROTOCOL.udp]: 6,
  [PROTOCOL.icmpv6]: 2,
}

/** Puts `address` in place of the one at `at`, its source or destination, and keeps all checksums true. `header` was read from `bytes`. */
export function rewriteAddress(
  header: IpHeader,
  bytes: Uint8Array,
  length: number,
  at: number,
  address: Uint8Array,
): void {
  const before = sumOf(bytes, at, at + address.length)
  const after = sumOf(address, 0, address.length)
  bytes.set(address, at)
  if (header.version === 4) setU16(bytes, 10, adjusted(u16(bytes, 10), before, after))
  if (!header.isFirst) return
  const place = CHECKSUM_AT[header.protocol]
  if (place === undefined || header.contentAt + place + 2 > length) return
  const checksumAt = header.contentAt + place
  const checksum = u16(bytes, checksumAt)
  if (header.protocol === PROTOCOL.udp) {
    // None was computed (RFC 768), and a sum of zero is sent as ones.
    if (checksum === 0 && header.version === 4) return
    setU16(bytes, checksumAt, adjusted(checksum, before, after) || 0xffff)
  } else setU16(bytes, checksumAt, adjusted(checksum, before, after))
}

/**
 * The same within the packet that an ICMP error is about, whose source `from` becomes `to`: by it the system finds who sent it. The checksum
 * of its own header makes up for the address where there is one, so that the error's stays true; over IPv6 the error's changes.
 */
export function rewriteInside(
  header: IpHeader,
  bytes: Uint8Array,
  length: number,
  from: Uint8Array,
  to: Uint8Array,
): void {
  const about = header.contentAt + 8
  const at = about + (header.version === 4 ? 12 : 8)
  if (at + 2 * from.length > length || !isAddressAt(bytes, at, from)) return
  const [before, after] = [sumOf(from, 0, from.length), sumOf(to, 0, to.length)]
  bytes.set(to, at)
  const checksumAt = header.version === 4 ? about + 10 : header.contentAt + 2
  setU16(bytes, checksumAt, adjusted(u16(bytes, checksumAt), before, after))
}
