import fc from 'fast-check'
import { ipToBytes } from '@weft/onion'
import { PROTOCOL, setU16, u16 } from '../../src/ip/ip-header.ts'

/** A flow of packets as one end of a connection sends them. */
export interface Flow {
  readonly isIPv6: boolean
  readonly isTcp: boolean
  readonly sourcePort: number
  readonly destinationPort: number
  readonly sequence: number
  readonly id: number
  readonly dontFragment: boolean
  /** Of TCP: a multiple of four. */
  readonly options: Uint8Array
  readonly payloads: readonly Uint8Array[]
  /** Of TCP: whether the last one is pushed. */
  readonly isPushed: boolean
}

/** All but the last carry equally much, as a system sends them that has much to say. */
export const flows: fc.Arbitrary<Flow> = fc
  .record({
    isIPv6: fc.boolean(),
    isTcp: fc.boolean(),
    sourcePort: fc.integer({ min: 1, max: 0xffff }),
    destinationPort: fc.integer({ min: 1, max: 0xffff }),
    sequence: fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constant(0xffff_f000)),
    id: fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constant(0xfffe)),
    dontFragment: fc.boolean(),
    optionWords: fc.array(fc.integer({ min: 0, max: 0xff }), { maxLength: 10 }),
    size: fc.integer({ min: 256, max: 1_180 }),
    count: fc.integer({ min: 1, max: 80 }),
    lastBytes: fc.integer({ min: 1, max: 1_180 }),
    seed: fc.integer({ min: 0, max: 0xffff }),
    isPushed: fc.boolean(),
  })
  .map(({ optionWords, size, count, lastBytes, seed, ...flow }) => ({
    ...flow,
    options: Uint8Array.from(optionWords.flatMap((word) => [word, word ^ 7, word ^ 99, word])),
    payloads: Array.from({ length: count }, (_, at) =>
      Uint8Array.from({ length: at === count - 1 ? Math.min(lastBytes, size) : size }, (__, i) => i * seed + at * 31),
    ),
  }))

const SOURCE4 = ipToBytes('203.0.113.9') as Uint8Array
const DESTINATION4 = ipToBytes('100.64.0.7') as Uint8Array
const SOURCE6 = ipToBytes('2001:db8::9') as Uint8Array
const DESTINATION6 = ipToBytes('fd00::7') as Uint8Array

/** The packets of a flow, all their checksums true. */
export function packetsOf(flow: Flow): Buffer[] {
  let sequence = flow.sequence
  return flow.payloads.map((payload, at) => {
    const packet = packetOf(flow, payload, sequence, (flow.id + at) & 0xffff)
    if (flow.isTcp && flow.isPushed && at === flow.payloads.length - 1) {
      const flagsAt = contentAtOf(packet) + 13
      packet[flagsAt] = (packet[flagsAt] as number) | 8
    }
    sequence = (sequence + payload.length) >>> 0
    return withChecksums(packet)
  })
}

function packetOf(flow: Flow, payload: Uint8Array, sequence: number, id: number): Buffer {
  const { isIPv6, isTcp, options, sourcePort, destinationPort } = flow
  const ip = Buffer.alloc(isIPv6 ? 40 : 20)
  const transport = Buffer.alloc(isTcp ? 20 + options.length : 8)
  transport.writeUInt16BE(sourcePort, 0)
  transport.writeUInt16BE(destinationPort, 2)
  if (isTcp) {
    transport.writeUInt32BE(sequence, 4)
    transport.writeUInt32BE(0x1234_5678, 8)
    transport[12] = (transport.length / 4) << 4
    transport[13] = 0x10
    transport.writeUInt16BE(501, 14)
    transport.set(options, 20)
  } else transport.writeUInt16BE(8 + payload.length, 4)
  const protocol = isTcp ? PROTOCOL.tcp : PROTOCOL.udp
  if (isIPv6) {
    ip.writeUInt32BE(0x6012_3456, 0)
    ip.writeUInt16BE(transport.length + payload.length, 4)
    ip[6] = protocol
    ip[7] = 64
    ip.set(SOURCE6, 8)
    ip.set(DESTINATION6, 24)
  } else {
    ip[0] = 0x45
    ip[1] = 0x02
    ip.writeUInt16BE(20 + transport.length + payload.length, 2)
    ip.writeUInt16BE(id, 4)
    ip.writeUInt16BE(flow.dontFragment ? 0x4000 : 0, 6)
    ip[8] = 63
    ip[9] = protocol
    ip.set(SOURCE4, 12)
    ip.set(DESTINATION4, 16)
  }
  return Buffer.concat([ip, transport, payload])
}

/** Puts true checksums in place of those that are there. */
export function withChecksums(packet: Buffer): Buffer {
  const contentAt = contentAtOf(packet)
  const isTcp = packet[contentAt === 20 ? 9 : 6] === PROTOCOL.tcp
  const at = contentAt + (isTcp ? 16 : 6)
  if (contentAt === 20) {
    setU16(packet, 10, 0)
    setU16(packet, 10, slowChecksum(packet.subarray(0, 20)))
  }
  setU16(packet, at, 0)
  const checksum = slowChecksum(pseudoOf(packet))
  setU16(packet, at, checksum === 0 && !isTcp ? 0xffff : checksum)
  return packet
}

/** Whether all checksums of a packet are true, by the slow reference. */
export function isTrue(packet: Buffer): boolean {
  const isIPv4 = contentAtOf(packet) === 20
  return (!isIPv4 || slowChecksum(packet.subarray(0, 20)) === 0) && slowChecksum(pseudoOf(packet)) === 0
}

/** Pseudo-header and what follows it (RFC 9293, section 3.1; RFC 8200, section 8.1). */
function pseudoOf(packet: Buffer): Buffer {
  const contentAt = contentAtOf(packet)
  const tail = Buffer.alloc(4)
  tail.writeUInt16BE(packet[contentAt === 20 ? 9 : 6] as number, 0)
  tail.writeUInt16BE(packet.length - contentAt, 2)
  return Buffer.concat([packet.subarray(contentAt === 20 ? 12 : 8, contentAt), tail, packet.subarray(contentAt)])
}

/** RFC 1071, section 1, word by word, each carry at once. */
export function slowChecksum(bytes: Uint8Array): number {
  const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)])
  let sum = 0
  for (let at = 0; at < even.length; at += 2) {
    sum += u16(even, at)
    if (sum > 0xffff) sum -= 0xffff
  }
  return ~sum & 0xffff
}

export function contentAtOf(packet: Uint8Array): number {
  return (packet[0] as number) >> 4 === 4 ? 20 : 40
}
