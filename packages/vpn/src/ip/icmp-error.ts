import { checksumOf, sumOf } from './checksum.ts'
import { type IpHeader, PROTOCOL, isAddressAt, setU16 } from './ip-header.ts'

/** Bytes of an ICMP error over IPv4 at most (RFC 1812, section 4.3.2.3), and over IPv6 (RFC 4443, section 2.4). */
const MOST4 = 576
const MOST6 = 1_280
const ICMP_BYTES = 8

/**
 * Writes "destination unreachable, administratively prohibited" about a packet into `into`, from `own` to the packet's source; returns
 * its length. 0 for what must not be answered: another error, or a later fragment (RFC 1122, section 3.2.2; RFC 4443, section 2.4).
 */
export function prohibited(
  header: IpHeader,
  bytes: Uint8Array,
  length: number,
  own: Uint8Array,
  into: Uint8Array,
): number {
  if (!header.isFirst || header.isIcmpError) return 0
  return header.version === 4 ? prohibited4(bytes, length, own, into) : prohibited6(bytes, length, own, into)
}

/**
 * Whether an exit says of itself that it refused a packet of the client whose address `own` is. A router or target behind it says so, too: that
 * comes from elsewhere than the private range that an exit gives addresses of (docs/specs/session.md, IP packets).
 */
export function isProhibition(header: IpHeader, bytes: Uint8Array, own: Uint8Array): boolean {
  const { version, contentAt, sourceAt } = header
  if (!header.isIcmpError) return false
  const [type, code] = version === 4 ? [3, 13] : [1, 1]
  if (bytes[contentAt] !== type || bytes[contentAt + 1] !== code) return false
  // 100.64.0.0/10 (RFC 6598); of IPv6 the /64 of the client's own address.
  if (version === 4) return bytes[sourceAt] === 100 && (bytes[sourceAt + 1] as number) >> 6 === 1
  return isAddressAt(bytes, sourceAt, own.subarray(0, 8))
}

function prohibited4(bytes: Uint8Array, length: number, own: Uint8Array, into: Uint8Array): number {
  const head = 20 + ICMP_BYTES
  const kept = Math.min(length, MOST4 - head)
  into.fill(0, 0, head)
  into.set(bytes.subarray(0, kept), head)
  into[0] = 0x45
  setU16(into, 2, head + kept)
  into[8] = 64
  into[9] = PROTOCOL.icmp
  into.set(own, 12)
  into.set(bytes.subarray(12, 16), 16)
  setU16(into, 10, checksumOf(sumOf(into, 0, 20)))
  // Type 3 (RFC 792), code 13 (RFC 1812, section 5.2.7.1).
  into[20] = 3
  into[21] = 13
  setU16(into, 22, checksumOf(sumOf(into, 20, head + kept)))
  return head + kept
}

function prohibited6(bytes: Uint8Array, length: number, own: Uint8Array, into: Uint8Array): number {
  const head = 40 + ICMP_BYTES
  const kept = Math.min(length, MOST6 - head)
  into.fill(0, 0, head)
  into.set(bytes.subarray(0, kept), head)
  into[0] = 0x60
  setU16(into, 4, ICMP_BYTES + kept)
  into[6] = PROTOCOL.icmpv6
  into[7] = 64
  into.set(own, 8)
  into.set(bytes.subarray(8, 24), 24)
  // Type 1, code 1 (RFC 4443, section 3.1); the sum takes in the pseudo-header (RFC 8200, section 8.1).
  into[40] = 1
  into[41] = 1
  const pseudo = sumOf(into, 8, 40) + ICMP_BYTES + kept + PROTOCOL.icmpv6
  setU16(into, 42, checksumOf(pseudo + sumOf(into, 40, head + kept)))
  return head + kept
}
