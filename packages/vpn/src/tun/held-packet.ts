import { checksumOf, copySum, sumOf, sumOfView } from '../ip/checksum.ts'
import { PROTOCOL, setU16, u16 } from '../ip/ip-header.ts'
import { TCP_FLAG, type TransportHeader } from '../ip/transport-header.ts'
import { PacketRoom } from './packet-room.ts'
import { SUPER, writeVirtioHeader } from './virtio-header.ts'

/** Packets in a super-packet, as the kernel's own for UDP (UDP_GRO_CNT_MAX); and its bytes, as many as its length can tell. */
const MOST_PACKETS = 64
const MOST_BYTES = 65_535
/** The byte behind the first 12 of TCP is its length and reserved bits, the next one its flags. */
const TCP_FLAGS_AT = 13
const DONT_FRAGMENT = 0x4000

/**
 * What became of a packet that was to be added: it was, and another may be or not; it goes by itself; it is not to be written at all, as its
 * checksum is false; or the first one is not, for the same reason.
 */
export type Added = 'added' | 'last' | 'no' | 'broken' | 'broken first'

/** A packet that waits whether the next one of its flow continues it, with those that did behind it. */
export class HeldPacket {
  readonly room = new PacketRoom()
  length = 0
  count = 0
  #version = 4
  #isTcp = false
  #contentAt = 0
  #headerBytes = 0
  #checksumAt = 0
  /** Of each packet but the last. */
  #segmentBytes = 0
  /** Whether the first one's checksums were found true. */
  #isChecked = false
  /** Whether the last one is to be handed on at once. */
  #isPushed = false

  /** Of all its packets, each with its headers. */
  get totalBytes(): number {
    return this.length + (this.count - 1) * this.#headerBytes
  }

  /** Begins with the packet that lies in its room. */
  begin({ ip, isTcp, headerBytes, checksumAt }: TransportHeader, length: number): void {
    this.length = length
    this.count = 1
    this.#version = ip.version
    this.#isTcp = isTcp
    this.#contentAt = ip.contentAt
    this.#headerBytes = headerBytes
    this.#checksumAt = checksumAt
    this.#segmentBytes = length - headerBytes
    this.#isChecked = false
    this.#isPushed = false
  }

  /** Whether it is between the same ports of the same addresses. */
  isOfFlow({ ip, isTcp }: TransportHeader, view: DataView): boolean {
    const own = this.room.view
    const at = this.#contentAt
    if (isTcp !== this.#isTcp || ip.version !== this.#version || view.getInt32(at) !== own.getInt32(at)) return false
    return this.isBetween(ip.sourceAt, view)
  }

  /** Whether it is between the same addresses. */
  isBetween(sourceAt: number, view: DataView): boolean {
    const own = this.room.view
    if (sourceAt !== (this.#version === 4 ? 12 : 8)) return false
    for (let at = sourceAt; at < this.#contentAt; at += 4) if (view.getInt32(at) !== own.getInt32(at)) return false
    return true
  }

  /** Adds what a packet of its flow carries, if the system would cut just that packet off again. */
  add(header: TransportHeader, { bytes, view }: PacketRoom, length: number): Added {
    const { headerBytes } = header
    const payloadBytes = length - headerBytes
    if (headerBytes !== this.#headerBytes || payloadBytes === 0 || payloadBytes > this.#segmentBytes) return 'no'
    if (this.count >= MOST_PACKETS || this.length + payloadBytes > MOST_BYTES) return 'no'
    if (!this.#isIpAlike(view) || !(this.#isTcp ? this.#isTcpNext(view) : view.getUint16(this.#checksumAt) !== 0))
      return 'no'
    const own = this.room
    if (!this.#isChecked && !this.#check()) return 'broken first'
    const payloadSum = copySum(view, headerBytes, length, own.view, this.length)
    if (!this.#isIpTrue(bytes) || !isSumTrue(header, bytes, length, payloadSum)) return 'broken'
    this.length += payloadBytes
    this.count++
    this.#isPushed = this.#isTcp && ((bytes[this.#contentAt + TCP_FLAGS_AT] as number) & TCP_FLAG.psh) !== 0
    return this.#isPushed || payloadBytes < this.#segmentBytes ? 'last' : 'added'
  }

  /** Of the first packet, while it is the only one. */
  #check(): boolean {
    const { bytes, view } = this.room
    const at = this.#headerBytes
    const content = this.#segmentBytes + at - this.#contentAt
    const sum = sumOf(bytes, this.#version === 4 ? 12 : 8, at) + this.#protocol + content
    this.#isChecked = this.#isIpTrue(bytes) && checksumOf(sum + sumOfView(view, at, this.length)) === 0
    return this.#isChecked
  }

  /** Writes the headers of a super-packet, if there is more than one packet. */
  finish(): void {
    if (this.count === 1) return
    const { bytes, header } = this.room
    const at = this.#contentAt
    const content = this.length - at
    if (this.#version === 6) setU16(bytes, 4, this.length - 40)
    else {
      setU16(bytes, 2, this.length)
      setU16(bytes, 10, 0)
      setU16(bytes, 10, checksumOf(sumOf(bytes, 0, 20)))
    }
    if (this.#isPushed) bytes[at + TCP_FLAGS_AT] = (bytes[at + TCP_FLAGS_AT] as number) | TCP_FLAG.psh
    if (!this.#isTcp) setU16(bytes, at + 4, content)
    // The sum of the pseudo-header, to which the system adds the rest.
    const pseudo = sumOf(bytes, this.#version === 4 ? 12 : 8, at) + this.#protocol + content
    setU16(bytes, this.#checksumAt, ~checksumOf(pseudo) & 0xffff)
    const kind = this.#isTcp ? (this.#version === 4 ? SUPER.tcp4 : SUPER.tcp6) : SUPER.udp
    writeVirtioHeader(header, kind, this.#headerBytes, this.#segmentBytes, at, this.#checksumAt - at)
  }

  get #protocol(): number {
    return this.#isTcp ? PROTOCOL.tcp : PROTOCOL.udp
  }

  /** Numbers of packets that are not to be cut count for nothing (RFC 6864, section 4.1); of others each has the next. */
  #isIpAlike(view: DataView): boolean {
    const own = this.room.view
    if (this.#version === 6) return view.getInt32(0) === own.getInt32(0) && view.getInt16(6) === own.getInt16(6)
    const fragment = view.getUint16(6)
    if (view.getUint16(0) !== own.getUint16(0) || fragment !== own.getUint16(6)) return false
    if (view.getUint16(8) !== own.getUint16(8)) return false
    return fragment === DONT_FRAGMENT || view.getUint16(4) === ((own.getUint16(4) + this.count) & 0xffff)
  }

  /** The next bytes, with all else as the first one has it: acknowledged bytes, flags but PSH, window and options. */
  #isTcpNext(view: DataView): boolean {
    const own = this.room.view
    const at = this.#contentAt
    const next = (own.getUint32(at + 4) + this.length - this.#headerBytes) >>> 0
    if (view.getUint32(at + 4) !== next || view.getInt32(at + 8) !== own.getInt32(at + 8)) return false
    if ((view.getUint16(at + 12) & ~TCP_FLAG.psh) !== own.getUint16(at + 12)) return false
    if (view.getUint16(at + 14) !== own.getUint16(at + 14) || view.getUint16(at + 18) !== own.getUint16(at + 18))
      return false
    for (let option = at + 20; option < this.#headerBytes; option += 4)
      if (view.getInt32(option) !== own.getInt32(option)) return false
    return true
  }

  #isIpTrue(bytes: Uint8Array): boolean {
    return this.#version === 6 || checksumOf(sumOf(bytes, 0, 20)) === 0
  }
}

/** Whether the checksum over pseudo-header, header and payload is true. */
function isSumTrue({ ip, headerBytes }: TransportHeader, bytes: Uint8Array, length: number, payload: number): boolean {
  const sum = sumOf(bytes, ip.sourceAt, headerBytes) + ip.protocol + length - ip.contentAt + payload
  return checksumOf(sum) === 0
}

/** Bytes that a packet carries at least of which others are awaited: of many tiny ones kernels made faults (CVE-2019-11477). */
const LEAST_BYTES = 256

/** Whether another packet could continue this one: TCP that does nothing but carry bytes, UDP with a checksum. */
export function canBegin(
  { ip, isTcp, headerBytes, checksumAt }: TransportHeader,
  bytes: Uint8Array,
  length: number,
): boolean {
  if (length - headerBytes < LEAST_BYTES) return false
  if (!isTcp) return u16(bytes, checksumAt) !== 0
  const at = ip.contentAt
  // No reserved bits, no other flag than ACK, and so nothing urgent.
  return ((bytes[at + 12] as number) & 0x0f) === 0 && bytes[at + TCP_FLAGS_AT] === TCP_FLAG.ack
}
