import { checksumOf, copySum, sumOf, sumOfView } from '../ip/checksum.ts'
import { PROTOCOL, setU16, u16 } from '../ip/ip-header.ts'
import { TCP_FLAG, TransportHeader } from '../ip/transport-header.ts'
import { nativeBytes } from '../udp/linux-socket-calls.ts'
import type { PacketRoom } from './packet-room.ts'
import { SUPER, VirtioHeader } from './virtio-header.ts'

/** Called for each packet: the first `length` bytes, valid during the call only; they may be changed. */
export type TakePacket = (bytes: Uint8Array, length: number) => void

/**
 * Makes packets of what the system gives with a virtio_net_hdr: completes checksums that it left open, and cuts super-packets into segments as
 * the system itself would (segmentation-offloads.rst). Nothing that the header says is believed: what contradicts the packet is none.
 * Allocates nothing for a packet.
 */
export class PacketSplitter {
  readonly #onPacket: TakePacket
  readonly #virtio = new VirtioHeader()
  readonly #header = new TransportHeader()
  readonly #segment: Uint8Array
  readonly #segmentView: DataView

  /** @param mostBytes of a packet; super-packets of longer ones are none */
  constructor(mostBytes: number, onPacket: TakePacket) {
    this.#onPacket = onPacket
    this.#segment = nativeBytes(mostBytes)
    this.#segmentView = new DataView(this.#segment.buffer)
  }

  /** Hands on the packets of which `room` holds one or a super-packet of `length` bytes; how many, 0 where it is none. */
  split(room: PacketRoom, length: number): number {
    const virtio = this.#virtio
    virtio.read(room.header)
    if (virtio.kind !== SUPER.none) return this.#splitSuper(room, length)
    if (virtio.needsChecksum && !this.#complete(room, length)) return 0
    this.#onPacket(room.bytes, length)
    return 1
  }

  /** Writes the checksum that the system left open. */
  #complete({ bytes, view }: PacketRoom, length: number): boolean {
    const { checksumStart, checksumOffset } = this.#virtio
    const at = checksumStart + checksumOffset
    if (at + 2 > length) return false
    const checksum = checksumOf(sumOfView(view, checksumStart, length))
    setU16(bytes, at, checksum === 0 && this.#isUdp(bytes) ? 0xffff : checksum)
    return true
  }

  /** A sum of zero is sent as ones there (RFC 768). */
  #isUdp(bytes: Uint8Array): boolean {
    const isIPv4 = (bytes[0] as number) >> 4 === 4
    return this.#virtio.checksumOffset === 6 && bytes[isIPv4 ? 9 : 6] === PROTOCOL.udp
  }

  #splitSuper({ bytes, view }: PacketRoom, length: number): number {
    const { kind, segmentBytes } = this.#virtio
    const header = this.#header
    if (!header.read(bytes, length)) return 0
    const { headerBytes, isTcp, ip } = header
    if (kind !== (isTcp ? (ip.version === 4 ? SUPER.tcp4 : SUPER.tcp6) : SUPER.udp)) return 0
    if (segmentBytes === 0 || headerBytes + segmentBytes > this.#segment.length || headerBytes >= length) return 0
    const ipSum = ip.version === 4 ? sumOf(bytes, 0, 20) - u16(bytes, 2) - u16(bytes, 4) - u16(bytes, 10) : 0
    const id = u16(bytes, 4)
    const fixedSum = isTcp ? fixedTcpSum(header, bytes) : fixedUdpSum(header, bytes)
    let count = 0
    for (let from = headerBytes; from < length; from += segmentBytes, count++) {
      const to = Math.min(from + segmentBytes, length)
      // Whoever took the segment before may have changed its header.
      this.#copyHeader(view, headerBytes)
      const payloadSum = copySum(view, from, to, this.#segmentView, headerBytes)
      const total = headerBytes + to - from
      this.#writeIp(ipSum, (id + count) & 0xffff, total)
      if (isTcp) this.#writeTcp(fixedSum + payloadSum, from - headerBytes, total, from === headerBytes, to === length)
      else this.#writeUdp(fixedSum + payloadSum, total)
      this.#onPacket(this.#segment, total)
    }
    return count
  }

  #copyHeader(view: DataView, headerBytes: number): void {
    for (let at = 0; at < headerBytes; at += 4) this.#segmentView.setInt32(at, view.getInt32(at))
  }

  #writeIp(ipSum: number, id: number, total: number): void {
    const segment = this.#segment
    if (this.#header.ip.version === 6) return setU16(segment, 4, total - 40)
    setU16(segment, 2, total)
    setU16(segment, 4, id)
    setU16(segment, 10, checksumOf(ipSum + total + id))
  }

  /** The first one alone says that the window was reduced, the last one alone that data is pushed or ends. */
  #writeTcp(sum: number, offset: number, total: number, isFirst: boolean, isLast: boolean): void {
    const view = this.#segmentView
    const at = this.#header.ip.contentAt
    const sequence = (view.getUint32(at + 4) + offset) >>> 0
    let flags = view.getUint16(at + 12)
    if (!isFirst) flags &= ~TCP_FLAG.cwr
    if (!isLast) flags &= ~(TCP_FLAG.fin | TCP_FLAG.psh)
    view.setUint32(at + 4, sequence)
    view.setUint16(at + 12, flags)
    view.setUint16(at + 16, checksumOf(sum + (sequence >>> 16) + (sequence & 0xffff) + flags + total - at))
  }

  #writeUdp(sum: number, total: number): void {
    const view = this.#segmentView
    const at = this.#header.ip.contentAt
    const own = total - at
    view.setUint16(at + 4, own)
    // Its length is in the pseudo-header, too.
    view.setUint16(at + 6, checksumOf(sum + own + own) || 0xffff)
  }
}

/** Of the pseudo-header without its length, and of the header without what differs between segments. */
function fixedTcpSum({ ip, headerBytes }: TransportHeader, bytes: Uint8Array): number {
  const at = ip.contentAt
  const differs = u16(bytes, at + 4) + u16(bytes, at + 6) + u16(bytes, at + 12) + u16(bytes, at + 16)
  return sumOf(bytes, ip.sourceAt, headerBytes) + PROTOCOL.tcp - differs
}

function fixedUdpSum({ ip, headerBytes }: TransportHeader, bytes: Uint8Array): number {
  const at = ip.contentAt
  return sumOf(bytes, ip.sourceAt, headerBytes) + PROTOCOL.udp - u16(bytes, at + 4) - u16(bytes, at + 6)
}
