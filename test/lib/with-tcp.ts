import { checksumOf, sumOf } from '../../packages/vpn/src/ip/checksum.ts'
import { PROTOCOL, setU16 } from '../../packages/vpn/src/ip/ip-header.ts'

export const FLAGS = { fin: 1, syn: 2, ack: 16 } as const

export interface Tcp {
  readonly flags: number
  readonly sequence: number
  readonly acknowledged: number
}

/** The packet with these in its header, and its checksum true. @param packet with a TCP header of 20 bytes and nothing behind it */
export function withTcp(packet: Uint8Array, { flags, sequence, acknowledged }: Tcp): Uint8Array {
  const at = packet.length - 20
  const view = new DataView(packet.buffer, packet.byteOffset)
  view.setUint32(at + 4, sequence)
  view.setUint32(at + 8, acknowledged)
  view.setUint16(at + 12, (5 << 12) | flags)
  view.setUint16(at + 14, 65_535)
  view.setUint16(at + 16, 0)
  setU16(packet, at + 16, checksumOf(sumOf(packet, at === 20 ? 12 : 8, packet.length) + PROTOCOL.tcp + 20))
  return packet
}
