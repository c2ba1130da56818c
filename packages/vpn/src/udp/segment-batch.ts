import { HALF_SIZE, type HalfWriter, PACKET_SIZE } from '@weft/onion'
import { type LinuxSocketCalls, MSG_DONTWAIT, SOL_UDP, UDP_SEGMENT, nativeBytes } from './linux-socket-calls.ts'
import { SOCKET_ADDRESS_BYTES } from './socket-address.ts'

/** 57,600 bytes; UDP_SEGMENT takes 64 segments and an IP packet 65,535 bytes with its headers. */
const BATCH_PACKETS = 40
const BATCH_HALVES = 64

/** struct msghdr and struct cmsghdr with a 16-bit value, padded, on 64-bit Linux. */
const MESSAGE_BYTES = 56
const CONTROL_BYTES = 24
/** CMSG_LEN(2). */
const CONTROL_LENGTH = 18n
/** Offsets inside msghdr and iovec. */
const NAME_LENGTH_AT = 8
const CONTROL_LENGTH_AT = 40

/** What a batch needs of where it goes. */
interface Addressed {
  readonly socketAddress: Uint8Array
  readonly halved: boolean
}

/** Packets for one destination, one behind the other in memory, so that one sendmsg hands over all of them (udp(7), UDP_SEGMENT). */
export class SegmentBatch<D extends Addressed> {
  /** Never undefined while it is in use. */
  destination: D | undefined
  readonly #calls: LinuxSocketCalls
  readonly #fd: number
  readonly #halves: HalfWriter
  readonly #packets = nativeBytes(BATCH_PACKETS * PACKET_SIZE)
  readonly #packetsAt: bigint
  readonly #name = nativeBytes(SOCKET_ADDRESS_BYTES)
  readonly #vector = new DataView(new ArrayBuffer(16))
  readonly #control = new DataView(new ArrayBuffer(CONTROL_BYTES))
  readonly #message = nativeBytes(MESSAGE_BYTES)
  readonly #messageView = new DataView(this.#message.buffer)
  /** Bytes of a datagram: a packet, or half of one; and how many there may be. */
  #size = PACKET_SIZE
  #most = BATCH_PACKETS
  /** Datagrams from `#start` to `#end` wait. */
  #start = 0
  #end = 0

  constructor(calls: LinuxSocketCalls, fd: number, halves: HalfWriter) {
    this.#calls = calls
    this.#fd = fd
    this.#halves = halves
    const at = (view: ArrayBufferView<ArrayBuffer>): bigint => calls.addressOf(new Uint8Array(view.buffer))
    this.#packetsAt = at(this.#packets)
    this.#vector.setBigUint64(0, this.#packetsAt, true)
    this.#control.setBigUint64(0, CONTROL_LENGTH, true)
    this.#control.setInt32(8, SOL_UDP, true)
    this.#control.setInt32(12, UDP_SEGMENT, true)
    this.#messageView.setBigUint64(0, at(this.#name), true)
    this.#messageView.setBigUint64(16, at(this.#vector), true)
    this.#messageView.setBigUint64(24, 1n, true)
    this.#messageView.setBigUint64(32, at(this.#control), true)
  }

  /** Datagrams. */
  get pending(): number {
    return this.#end - this.#start
  }

  /** No more fits until all was sent. */
  get isFull(): boolean {
    return this.#end === this.#most
  }

  assign(destination: D): void {
    this.destination = destination
    this.#rewind()
    this.#size = destination.halved ? HALF_SIZE : PACKET_SIZE
    this.#most = destination.halved ? BATCH_HALVES : BATCH_PACKETS
    this.#control.setUint16(16, this.#size, true)
    this.#name.set(destination.socketAddress)
    this.#messageView.setUint32(NAME_LENGTH_AT, destination.socketAddress.length, true)
  }

  /** Only while not full. */
  append(packet: Uint8Array): void {
    const at = this.#end * this.#size
    if (this.#size === PACKET_SIZE) this.#packets.set(packet, at)
    else {
      this.#halves.write(packet, this.#packets, at)
      this.#end++
    }
    this.#end++
  }

  /** Hands the first `count` datagrams that wait to the kernel as one call; 0, or the errno, when all of them stay. */
  send(count: number): number {
    this.#vector.setUint32(8, count * this.#size, true)
    this.#messageView.setUint32(CONTROL_LENGTH_AT, count > 1 ? CONTROL_BYTES : 0, true)
    if (this.#calls.sendmsg(this.#fd, this.#message, MSG_DONTWAIT) < 0) return this.#calls.errno()
    this.skip(count)
    return 0
  }

  /** A copy of the first datagram that waits. */
  first(): Uint8Array {
    return this.#packets.slice(this.#start * this.#size, (this.#start + 1) * this.#size)
  }

  /** Takes the first `count` datagrams that wait out. */
  skip(count: number): void {
    this.#start += count
    if (this.#start === this.#end) this.#rewind()
    else this.#vector.setBigUint64(0, this.#packetsAt + BigInt(this.#start * this.#size), true)
  }

  #rewind(): void {
    if (this.#start !== 0) this.#vector.setBigUint64(0, this.#packetsAt, true)
    this.#start = 0
    this.#end = 0
  }
}
