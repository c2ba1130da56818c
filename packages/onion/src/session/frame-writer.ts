import { copyFirst } from './copy-first.ts'
import {
  DATAGRAM_LENGTH,
  DATAGRAM_NAMED,
  DATAGRAM_PART,
  FRAME_ACK,
  FRAME_CLOSE,
  FRAME_DATAGRAM,
  FRAME_JOIN,
  FRAME_LEG,
  FRAME_MAX_DATA,
  FRAME_MAX_STREAMS,
  FRAME_MAX_STREAM_DATA,
  FRAME_NAME,
  FRAME_OPEN,
  FRAME_OPENED,
  FRAME_PING,
  FRAME_REFUSED,
  FRAME_RESET_STREAM,
  FRAME_STOP_SENDING,
  FRAME_STREAM,
  FRAME_UNREACHED,
  MAX_ACK_RANGES,
  MAX_REASON_BYTES,
  PROTOCOL_SERVICE,
  PROTOCOL_TCP,
  STREAM_FIN,
  STREAM_LENGTH,
  STREAM_OFFSET,
} from './protocol.ts'
import { type RangeSet } from './range-set.ts'
import { MIN_PART_BYTES } from './tuning.ts'
import { varintLength, writeVarint } from './varint.ts'

const encoder = new TextEncoder()

/** Writes frames into one packet after another. Each method says whether the frame fitted; one that does not leaves no trace. */
export class FrameWriter {
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0

  reset(payload: Uint8Array): void {
    this.#bytes = payload
    this.#at = 0
  }

  get at(): number {
    return this.#at
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** Fills the rest with PADDING. */
  finish(): void {
    if (this.#at < this.#bytes.length) this.#bytes.fill(0, this.#at)
  }

  ping(): boolean {
    return this.#numbers(FRAME_PING, 0, 0, 0, 0)
  }

  maxData(limit: number): boolean {
    return this.#numbers(FRAME_MAX_DATA, 1, limit, 0, 0)
  }

  maxStreams(limit: number): boolean {
    return this.#numbers(FRAME_MAX_STREAMS, 1, limit, 0, 0)
  }

  maxStreamData(id: number, limit: number): boolean {
    return this.#numbers(FRAME_MAX_STREAM_DATA, 2, id, limit, 0)
  }

  stopSending(id: number, code: number): boolean {
    return this.#numbers(FRAME_STOP_SENDING, 2, id, code, 0)
  }

  refused(id: number, code: number): boolean {
    return this.#numbers(FRAME_REFUSED, 2, id, code, 0)
  }

  unreached(id: number, target: number, code: number): boolean {
    return this.#numbers(FRAME_UNREACHED, 3, id, target, code)
  }

  resetStream(id: number, code: number, finalSize: number): boolean {
    return this.#numbers(FRAME_RESET_STREAM, 3, id, code, finalSize)
  }

  /** @param name of the session, 32 bytes */
  name(name: Uint8Array): boolean {
    return this.#named(FRAME_NAME, 0, 0, 0, name)
  }

  join(leg: number, status: number, name: Uint8Array): boolean {
    return this.#named(FRAME_JOIN, 2, leg, status, name)
  }

  leg(leg: number, sequence: number, status: number): boolean {
    return this.#numbers(FRAME_LEG, 3, leg, sequence, status)
  }

  #named(type: number, count: number, a: number, b: number, name: Uint8Array): boolean {
    const numbers = count === 0 ? 0 : varintLength(a) + varintLength(b)
    if (1 + numbers + name.length > this.left) return false
    this.#numbers(type, count, a, b, 0)
    this.#bytes.set(name, this.#at)
    this.#at += name.length
    return true
  }

  close(code: number, reason: string): boolean {
    const text = encoder.encode(reason)
    // Cut at a whole character: 0b10xxxxxx goes on with one.
    let length = Math.min(text.length, MAX_REASON_BYTES)
    while (length < text.length && length > 0 && ((text[length] ?? 0) & 0xc0) === 0x80) length--
    if (1 + varintLength(code) + varintLength(length) + length > this.left) return false
    this.#numbers(FRAME_CLOSE, 2, code, length, 0)
    this.#bytes.set(text.subarray(0, length), this.#at)
    this.#at += length
    return true
  }

  open(id: number, port: number, host: string, protocol = PROTOCOL_TCP): boolean {
    if (1 + varintLength(id) + 4 + host.length > this.left) return false
    const bytes = this.#bytes
    const at = writeVarint(id, bytes, writeVarint(FRAME_OPEN, bytes, this.#at))
    bytes[at] = protocol
    this.#at = this.#target(port, host, at + 1)
    return true
  }

  /** OPEN of a stream to a service. @param member 32 bytes */
  openService(id: number, member: Uint8Array, name: string): boolean {
    if (1 + varintLength(id) + 2 + member.length + name.length > this.left) return false
    const bytes = this.#bytes
    let at = writeVarint(id, bytes, writeVarint(FRAME_OPEN, bytes, this.#at))
    bytes[at++] = PROTOCOL_SERVICE
    bytes.set(member, at)
    at += member.length
    bytes[at++] = name.length
    for (let i = 0; i < name.length; i++) bytes[at++] = name.charCodeAt(i)
    this.#at = at
    return true
  }

  /** OPEN of a stream that leads to no target of its own. */
  openBare(id: number, protocol: number): boolean {
    return this.#numbers(FRAME_OPEN, 2, id, protocol, 0)
  }

  #target(port: number, host: string, from: number): number {
    const bytes = this.#bytes
    let at = from
    bytes[at++] = port >>> 8
    bytes[at++] = port
    bytes[at++] = host.length
    for (let i = 0; i < host.length; i++) bytes[at++] = host.charCodeAt(i)
    return at
  }

  /** A DATAGRAM frame with all of `bytes`; `host` is empty when the other side knows the target. */
  datagram(id: number, target: number, port: number, host: string, bytes: Uint8Array): boolean {
    const { length } = bytes
    const room = this.left - 1 - varintLength(id) - varintLength(target) - nameLength(host)
    // What fills the packet to its end needs no length.
    if (length !== room && length + varintLength(length) > room) return false
    const type = FRAME_DATAGRAM | (length === room ? 0 : DATAGRAM_LENGTH)
    let at = this.#datagramHead(type, id, target, port, host)
    if (length !== room) at = writeVarint(length, this.#bytes, at)
    this.#bytes.set(bytes, at)
    this.#at = at + length
    return true
  }

  /** A DATAGRAM frame of a channel of IP packets, with the first `length` bytes of `bytes`. */
  packet(id: number, bytes: Uint8Array, length: number): boolean {
    const room = this.left - 2 - varintLength(id)
    // What fills the packet to its end needs no length.
    if (length !== room && length + varintLength(length) > room) return false
    let at = this.#datagramHead(FRAME_DATAGRAM | (length === room ? 0 : DATAGRAM_LENGTH), id, 0, 0, '')
    if (length !== room) at = writeVarint(length, this.#bytes, at)
    copyFirst(bytes, length, this.#bytes, at)
    this.#at = at + length
    return true
  }

  /** A DATAGRAM frame with the part of `bytes` from `offset` on that fits; returns its length, or -1 when it is not worth a frame. */
  datagramPart(
    id: number,
    target: number,
    port: number,
    host: string,
    number: number,
    bytes: Uint8Array,
    offset: number,
  ): number {
    const total = bytes.length
    const head = 1 + varintLength(id) + varintLength(target) + nameLength(host)
    const room = this.left - head - varintLength(number) - varintLength(total) - varintLength(offset)
    const wanted = total - offset
    if (room < Math.min(wanted, MIN_PART_BYTES)) return -1
    const explicit = wanted < room
    // One byte short of data and length: the last byte of data waits for the next packet.
    const length = explicit ? wanted - (wanted + varintLength(wanted) > room ? 1 : 0) : room
    const type = FRAME_DATAGRAM | DATAGRAM_PART | (explicit ? DATAGRAM_LENGTH : 0)
    let at = writeVarint(number, this.#bytes, this.#datagramHead(type, id, target, port, host))
    at = writeVarint(offset, this.#bytes, writeVarint(total, this.#bytes, at))
    if (explicit) at = writeVarint(length, this.#bytes, at)
    this.#bytes.set(bytes.subarray(offset, offset + length), at)
    this.#at = at + length
    return length
  }

  #datagramHead(type: number, id: number, target: number, port: number, host: string): number {
    const bytes = this.#bytes
    bytes[this.#at] = type | (host === '' ? 0 : DATAGRAM_NAMED)
    const at = writeVarint(target, bytes, writeVarint(id, bytes, this.#at + 1))
    return host === '' ? at : this.#target(port, host, at)
  }

  opened(id: number, address: Uint8Array): boolean {
    if (1 + varintLength(id) + 1 + address.length > this.left) return false
    let at = writeVarint(id, this.#bytes, writeVarint(FRAME_OPENED, this.#bytes, this.#at))
    this.#bytes[at++] = address.length
    this.#bytes.set(address, at)
    this.#at = at + address.length
    return true
  }

  /** The newest of `received` (half-open ranges of packet numbers), as many as fit and are allowed. */
  ack(received: RangeSet, delayUs: number): boolean {
    if (received.count === 0 || this.left < 64) return false
    const bytes = this.#bytes
    let index = received.count - 1
    const high = received.high(index) - 1
    let at = this.#at
    bytes[at++] = FRAME_ACK
    at = writeVarint(high, bytes, at)
    at = writeVarint(delayUs, bytes, at)
    const countAt = at++
    at = writeVarint(high - received.low(index), bytes, at)
    let more = 0
    // A gap and a range take 16 bytes at most; their number stays below 64, so one byte holds it.
    while (index > 0 && more < MAX_ACK_RANGES - 1 && bytes.length - at >= 16) {
      const below = received.low(index)
      index--
      at = writeVarint(below - received.high(index) - 1, bytes, at)
      at = writeVarint(received.high(index) - received.low(index) - 1, bytes, at)
      more++
    }
    bytes[countAt] = more
    this.#at = at
    return true
  }

  /**
   * The head of a STREAM frame for up to `wanted` bytes at `offset`; returns how many of them the caller now writes at `at`
   * with `wrote`, or -1 when not even one fits (or none and the end, for `wanted` 0).
   * @param fin that the stream ends behind those bytes; written only when all of them fit
   */
  streamHead(id: number, offset: number, wanted: number, fin: boolean): number {
    const head = 1 + varintLength(id) + (offset === 0 ? 0 : varintLength(offset))
    const room = this.left - head
    if (room < 1 && (wanted > 0 || room < 0)) return -1
    const bytes = this.#bytes
    let type = FRAME_STREAM | (offset === 0 ? 0 : STREAM_OFFSET)
    let length = wanted
    // What fills the packet to its end needs no length.
    const explicit = wanted < room
    if (explicit) {
      // One byte short of data and length: the last byte of data waits for the next packet.
      if (wanted + varintLength(wanted) > room) length = wanted - 1
      type |= STREAM_LENGTH
    } else length = room
    if (fin && length === wanted) type |= STREAM_FIN
    let at = this.#at
    bytes[at++] = type
    at = writeVarint(id, bytes, at)
    if (offset !== 0) at = writeVarint(offset, bytes, at)
    if (explicit) at = writeVarint(length, bytes, at)
    this.#at = at
    return length
  }

  /** The caller has written `length` bytes at `at`. */
  wrote(length: number): void {
    this.#at += length
  }

  #numbers(type: number, count: number, a: number, b: number, c: number): boolean {
    let need = 1
    if (count > 0) need += varintLength(a)
    if (count > 1) need += varintLength(b)
    if (count > 2) need += varintLength(c)
    if (need > this.left) return false
    const bytes = this.#bytes
    let at = writeVarint(type, bytes, this.#at)
    if (count > 0) at = writeVarint(a, bytes, at)
    if (count > 1) at = writeVarint(b, bytes, at)
    if (count > 2) at = writeVarint(c, bytes, at)
    this.#at = at
    return true
  }
}

/** Bytes that a DATAGRAM frame takes to say what its target is: port, length and host. */
function nameLength(host: string): number {
  return host === '' ? 0 : 3 + host.length
}
