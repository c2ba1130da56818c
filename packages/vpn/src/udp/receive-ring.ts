import { HALF_SIZE, PACKET_SIZE, Packet } from '@weft/onion'
import type { EndpointTable } from './endpoint-table.ts'
import { type HalvedPackets, areHalves } from './halved-packets.ts'
import { type LinuxSocketCalls, MSG_DONTWAIT, MSG_TRUNC, SOL_UDP, UDP_GRO, nativeBytes } from './linux-socket-calls.ts'
import type { PacketBatch } from './packet-batch.ts'
import { SOCKET_ADDRESS_BYTES } from './socket-address.ts'
import type { UdpCounters } from './udp-counters.ts'

/** Packets that fit one super-packet: 45 x 1440 bytes, with headers, are the last below the 65,535 of IP. */
export const SUPER_PACKET_PACKETS = 45
/** Datagrams or super-packets taken by one system call. */
export const RING_MESSAGES = 8

/** Behind the slots lies room for what does not make a whole packet, so that a datagram of any size fits. */
const VECTORS = SUPER_PACKET_PACKETS + 1
const SUPER_PACKET_BYTES = SUPER_PACKET_PACKETS * PACKET_SIZE
const REST_BYTES = 65_535 - SUPER_PACKET_BYTES
const VECTOR_BYTES = 16
/** CMSG_SPACE(4), twice as much as needed. */
const CONTROL_BYTES = 48
/** CMSG_LEN(4). */
const GRO_CONTROL_LENGTH = 20
/** struct mmsghdr on 64-bit Linux, and offsets in it. */
const MESSAGE_BYTES = 64
const NAME_LENGTH_AT = 8
const CONTROL_LENGTH_AT = 40
const FLAGS_AT = 48
const LENGTH_AT = 56

/**
 * Receives up to eight super-packets by one recvmmsg(2), each scattered into packet slots by the kernel: the size of the
 * segments stands in a control message (udp(7), UDP_GRO), and those of a packet's size then lie where they are used.
 */
export class ReceiveRing {
  readonly #calls: LinuxSocketCalls
  readonly #fd: number
  readonly #endpoints: EndpointTable
  readonly #halves: HalvedPackets
  readonly #counters: UdpCounters
  readonly #slots: readonly Packet[]
  /** All memory that the kernel is given pointers to stays referenced here. */
  readonly #memory = new ArrayBuffer(RING_MESSAGES * SUPER_PACKET_BYTES)
  readonly #bytes = new Uint8Array(this.#memory)
  readonly #rest = nativeBytes(REST_BYTES)
  readonly #names = new DataView(new ArrayBuffer(RING_MESSAGES * SOCKET_ADDRESS_BYTES))
  readonly #controls = new DataView(new ArrayBuffer(RING_MESSAGES * CONTROL_BYTES))
  readonly #vectors = new DataView(new ArrayBuffer(RING_MESSAGES * VECTORS * VECTOR_BYTES))
  readonly #messages = nativeBytes(RING_MESSAGES * MESSAGE_BYTES)
  readonly #view = new DataView(this.#messages.buffer)

  constructor(
    calls: LinuxSocketCalls,
    fd: number,
    endpoints: EndpointTable,
    halves: HalvedPackets,
    counters: UdpCounters,
  ) {
    this.#calls = calls
    this.#fd = fd
    this.#endpoints = endpoints
    this.#halves = halves
    this.#counters = counters
    this.#slots = Array.from(
      { length: RING_MESSAGES * SUPER_PACKET_PACKETS },
      (_, i) => new Packet(this.#memory, i * PACKET_SIZE),
    )
    const at = (buffer: ArrayBuffer): bigint => calls.addressOf(new Uint8Array(buffer))
    const [slots, rest, names, controls, vectors] = [
      at(this.#memory),
      at(this.#rest.buffer),
      at(this.#names.buffer),
      at(this.#controls.buffer),
      at(this.#vectors.buffer),
    ]
    for (let message = 0; message < RING_MESSAGES; message++) {
      for (let i = 0; i < VECTORS; i++) {
        const vector = (message * VECTORS + i) * VECTOR_BYTES
        const isSlot = i < SUPER_PACKET_PACKETS
        const slot = BigInt((message * SUPER_PACKET_PACKETS + i) * PACKET_SIZE)
        this.#vectors.setBigUint64(vector, isSlot ? slots + slot : rest, true)
        this.#vectors.setBigUint64(vector + 8, BigInt(isSlot ? PACKET_SIZE : REST_BYTES), true)
      }
      const header = message * MESSAGE_BYTES
      this.#view.setBigUint64(header, names + BigInt(message * SOCKET_ADDRESS_BYTES), true)
      this.#view.setBigUint64(header + 16, vectors + BigInt(message * VECTORS * VECTOR_BYTES), true)
      this.#view.setBigUint64(header + 24, BigInt(VECTORS), true)
      this.#view.setBigUint64(header + 32, controls + BigInt(message * CONTROL_BYTES), true)
      this.#prepare(header)
    }
  }

  /** Adds what waits to `batch`; true when there may be more. */
  receive(batch: PacketBatch): boolean {
    const messages = this.#calls.recvmmsg(this.#fd, this.#messages, RING_MESSAGES, MSG_DONTWAIT, null)
    if (messages < 0) {
      const error = this.#calls.errorName(this.#calls.errno())
      if (error !== 'EAGAIN' && error !== 'EINTR') this.#counters.receiveFailed(error)
      return false
    }
    for (let message = 0; message < messages; message++) this.#take(message, batch)
    return messages === RING_MESSAGES
  }

  #take(message: number, batch: PacketBatch): void {
    const header = message * MESSAGE_BYTES
    const length = this.#view.getUint32(header + LENGTH_AT, true)
    const isTruncated = (this.#view.getInt32(header + FLAGS_AT, true) & MSG_TRUNC) !== 0
    const segment = this.#segmentSize(message) ?? length
    const from = this.#endpoints.ofSocketAddress(this.#names, message * SOCKET_ADDRESS_BYTES)
    this.#prepare(header)
    if (!isTruncated && segment === HALF_SIZE && areHalves(length) && length <= SUPER_PACKET_BYTES) {
      // The slots of one message lie one behind the other, so that it is in one piece.
      if (from === undefined) this.#counters.unanswerable += length / HALF_SIZE
      else this.#halves.take(this.#bytes, message * SUPER_PACKET_BYTES, length, from, batch)
      return
    }
    if (isTruncated || segment !== PACKET_SIZE) {
      this.#counters.foreign += segment === 0 ? 1 : Math.ceil(length / segment)
      return
    }
    const packets = Math.floor(length / PACKET_SIZE)
    if (packets * PACKET_SIZE !== length) this.#counters.foreign++
    if (from === undefined) {
      this.#counters.unanswerable += packets
      return
    }
    const first = message * SUPER_PACKET_PACKETS
    for (let slot = first; slot < first + packets; slot++) batch.add(this.#slots[slot] as Packet, from)
  }

  /** Undefined when the datagram is one by itself. */
  #segmentSize(message: number): number | undefined {
    const control = message * CONTROL_BYTES
    if (this.#view.getUint32(message * MESSAGE_BYTES + CONTROL_LENGTH_AT, true) < GRO_CONTROL_LENGTH) return undefined
    if (this.#controls.getInt32(control + 8, true) !== SOL_UDP) return undefined
    if (this.#controls.getInt32(control + 12, true) !== UDP_GRO) return undefined
    return this.#controls.getInt32(control + 16, true)
  }

  /** The kernel overwrites the room it was given by what it used. */
  #prepare(header: number): void {
    this.#view.setUint32(header + NAME_LENGTH_AT, SOCKET_ADDRESS_BYTES, true)
    this.#view.setUint32(header + CONTROL_LENGTH_AT, CONTROL_BYTES, true)
    this.#view.setInt32(header + FLAGS_AT, 0, true)
  }
}
