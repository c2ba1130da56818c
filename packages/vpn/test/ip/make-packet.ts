import { ipToBytes } from '@weft/onion'
import { checksumOf, sumOf } from '../../src/ip/checksum.ts'
import { PROTOCOL, setU16 } from '../../src/ip/ip-header.ts'

export interface PacketShape {
  readonly source: string
  readonly destination: string
  readonly protocol?: number
  readonly port?: number
  readonly sourcePort?: number
  readonly content?: Uint8Array
  /** ICMP: its type. */
  readonly type?: number
  /** The later part of a packet, or its first one. */
  readonly fragment?: 'first' | 'later'
}

/** A packet with all its checksums, of IPv4 or IPv6 by its addresses. */
export function makePacket(shape: PacketShape): Uint8Array {
  const source = ipToBytes(shape.source) ?? new Uint8Array(4)
  const destination = ipToBytes(shape.destination) ?? new Uint8Array(4)
  const isIPv4 = source.length === 4
  const protocol = shape.protocol ?? PROTOCOL.udp
  const inner = contentOf(shape, protocol, source, destination)
  const isPart = shape.fragment !== undefined
  if (isIPv4) {
    const packet = Buffer.concat([new Uint8Array(20), inner])
    packet[0] = 0x45
    setU16(packet, 2, packet.length)
    if (isPart) setU16(packet, 6, shape.fragment === 'first' ? 0x2000 : 0x0010)
    packet[8] = 64
    packet[9] = protocol
    packet.set(source, 12)
    packet.set(destination, 16)
    setU16(packet, 10, checksumOf(sumOf(packet, 0, 20)))
    return packet
  }
  const extension = isPart ? Uint8Array.of(protocol, 0, 0, shape.fragment === 'first' ? 1 : 0x10, 0, 0, 0, 9) : []
  const packet = Buffer.concat([new Uint8Array(40), Uint8Array.from(extension), inner])
  packet[0] = 0x60
  setU16(packet, 4, packet.length - 40)
  packet[6] = isPart ? PROTOCOL.fragment : protocol
  packet[7] = 64
  packet.set(source, 8)
  packet.set(destination, 24)
  return packet
}

/** The sum over content and pseudo-header; 0xffff where the checksum is true. */
export function contentSum(packet: Uint8Array, contentAt: number, protocol: number): number {
  const isIPv4 = (packet[0] as number) >> 4 === 4
  const addresses = isIPv4 ? sumOf(packet, 12, 20) : sumOf(packet, 8, 40)
  const pseudo = protocol === PROTOCOL.icmp ? 0 : addresses + protocol + packet.length - contentAt
  return ~checksumOf(pseudo + sumOf(packet, contentAt, packet.length)) & 0xffff
}

function contentOf(shape: PacketShape, protocol: number, source: Uint8Array, destination: Uint8Array): Uint8Array {
  const data = shape.content ?? Uint8Array.of(1, 2, 3)
  if (shape.fragment === 'later') return data
  const [head, checksumAt] = protocol === PROTOCOL.tcp ? [20, 16] : protocol === PROTOCOL.udp ? [8, 6] : [8, 2]
  const inner = Buffer.concat([new Uint8Array(head), data])
  if (protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmpv6) inner[0] = shape.type ?? 8
  else {
    setU16(inner, 0, shape.sourcePort ?? 40_000)
    setU16(inner, 2, shape.port ?? 443)
    if (protocol === PROTOCOL.udp) setU16(inner, 4, inner.length)
  }
  const pseudo =
    protocol === PROTOCOL.icmp
      ? 0
      : sumOf(source, 0, source.length) + sumOf(destination, 0, destination.length) + protocol + inner.length
  const checksum = checksumOf(pseudo + sumOf(inner, 0, inner.length))
  // Zero says that none was computed (RFC 768).
  setU16(inner, checksumAt, protocol === PROTOCOL.udp ? checksum || 0xffff : checksum)
  return inner
}
