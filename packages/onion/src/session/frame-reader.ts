import { AckFrame } from './ack-frame.ts'
import { DatagramFrame } from './datagram-frame.ts'
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
  FRAME_PADDING,
  FRAME_PING,
  FRAME_REFUSED,
  FRAME_RESET_STREAM,
  FRAME_STOP_SENDING,
  FRAME_STREAM,
  FRAME_UNREACHED,
  LegStatus,
  MAX_ACK_RANGES,
  MAX_DATAGRAM_BYTES,
  MAX_REASON_BYTES,
  MEMBER_KEY_BYTES,
  PROTOCOL_DNS,
  PROTOCOL_IP,
  PROTOCOL_MEASURE,
  PROTOCOL_SERVICE,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  SESSION_NAME_BYTES,
  STREAM_FIN,
  STREAM_ID_STEP,
  STREAM_LENGTH,
  STREAM_OFFSET,
} from './protocol.ts'
import { SessionViolation } from './session-violation.ts'
import { isServiceName, isTargetHost } from './target-host.ts'
import { PayloadCursor } from './varint.ts'

/** What a packet's frames are handed to, in their order. `payload`, `ack` and `frame` are valid during the call only. */
export interface FrameSink {
  onPing(): void
  /** `name` is a view of the packet. */
  onName(name: Uint8Array): void
  onJoin(leg: number, status: number, name: Uint8Array): void
  onLeg(leg: number, sequence: number, status: number): void
  onAck(ack: AckFrame): void
  onResetStream(id: number, code: number, finalSize: number): void
  onStopSending(id: number, code: number): void
  /** The stream's bytes are payload[start, end). */
  onStreamData(id: number, offset: number, fin: boolean, payload: Uint8Array, start: number, end: number): void
  onMaxData(limit: number): void
  onMaxStreamData(id: number, limit: number): void
  onMaxStreams(limit: number): void
  onCloseFrame(code: number, reason: string): void
  /** `host` is empty and `port` 0 for another protocol than TCP and measure; of a service `host` is its name, and `member` a key of its own. */
  onOpen(id: number, protocol: number, port: number, host: string, member?: Uint8Array): void
  onOpened(id: number, address: Uint8Array): void
  onRefused(id: number, code: number): void
  /** The datagram's bytes, or those of its part, are payload[start, end). */
  onDatagram(frame: DatagramFrame, payload: Uint8Array, start: number, end: number): void
  onUnreached(id: number, target: number, code: number): void
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads the frames of docs/specs/session.md; keeps nothing between packets but its scratch space. */
export class FrameReader {
  readonly #cursor = new PayloadCursor()
  readonly #ack = new AckFrame()
  readonly #datagram = new DatagramFrame()

  /** @throws SessionViolation at the first byte that no valid packet has there; frames before it have been handed over. */
  read(payload: Uint8Array, sink: FrameSink): void {
    const cursor = this.#cursor
    cursor.reset(payload)
    while (cursor.at < payload.length) {
      const type = payload[cursor.at++] ?? 0
      if ((type & 0xf8) === FRAME_STREAM) this.#stream(type, sink)
      else if ((type & 0xf8) === FRAME_DATAGRAM) this.#readDatagram(type, sink)
      else if (type === FRAME_PADDING) {
        this.#padding()
        return
      } else if (type === FRAME_ACK) this.#readAck(sink)
      else this.#control(type, sink)
    }
  }

  #control(type: number, sink: FrameSink): void {
    const cursor = this.#cursor
    switch (type) {
      case FRAME_PING:
        return sink.onPing()
      case FRAME_NAME:
        return sink.onName(this.#name())
      case FRAME_JOIN:
        return this.#join(sink)
      case FRAME_LEG:
        return sink.onLeg(cursor.varint(), cursor.varint(), this.#legStatus(LegStatus.gone))
      case FRAME_RESET_STREAM:
        return sink.onResetStream(this.#streamId(), cursor.varint(), cursor.varint())
      case FRAME_STOP_SENDING:
        return sink.onStopSending(this.#streamId(), cursor.varint())
      case FRAME_MAX_DATA:
        return sink.onMaxData(cursor.varint())
      case FRAME_MAX_STREAM_DATA:
        return sink.onMaxStreamData(this.#streamId(), cursor.varint())
      case FRAME_MAX_STREAMS:
        return sink.onMaxStreams(cursor.varint())
      case FRAME_CLOSE:
        return this.#close(sink)
      case FRAME_OPEN:
        return this.#open(sink)
      case FRAME_OPENED:
        return this.#opened(sink)
      case FRAME_REFUSED:
        return sink.onRefused(this.#streamId(), cursor.varint())
      case FRAME_UNREACHED:
        return sink.onUnreached(this.#streamId(), cursor.varint(), cursor.varint())
      default:
        throw new SessionViolation(`no frame has type 0x${type.toString(16)}`)
    }
  }

  #name(): Uint8Array {
    const cursor = this.#cursor
    const from = cursor.skip(SESSION_NAME_BYTES)
    return cursor.bytes.subarray(from, from + SESSION_NAME_BYTES)
  }

  #join(sink: FrameSink): void {
    const leg = this.#cursor.varint()
    const status = this.#legStatus(LegStatus.used)
    sink.onJoin(leg, status, this.#name())
  }

  /** @param least gone is none of a leg that joins */
  #legStatus(least: number): number {
    const status = this.#cursor.varint()
    if (status < least || status > LegStatus.reserve) throw new SessionViolation(`a leg has no status ${status}`)
    return status
  }

  #streamId(): number {
    const id = this.#cursor.varint()
    if (id % STREAM_ID_STEP !== 0) throw new SessionViolation(`stream ${id} is not one that a client opens`)
    return id
  }

  #stream(type: number, sink: FrameSink): void {
    const cursor = this.#cursor
    const id = this.#streamId()
    const offset = (type & STREAM_OFFSET) === 0 ? 0 : cursor.varint()
    const length = (type & STREAM_LENGTH) === 0 ? cursor.left : cursor.varint()
    const start = cursor.skip(length)
    if (offset + length > Number.MAX_SAFE_INTEGER) throw new SessionViolation('a stream is longer than 2^53 - 1')
    sink.onStreamData(id, offset, (type & STREAM_FIN) !== 0, cursor.bytes, start, start + length)
  }

  #padding(): void {
    const { bytes, at } = this.#cursor
    for (let i = at; i < bytes.length; i++) if (bytes[i] !== 0) throw new SessionViolation('padding is not zero')
  }

  #readAck(sink: FrameSink): void {
    const cursor = this.#cursor
    let high = cursor.varint()
    this.#ack.reset(cursor.varint())
    const more = cursor.varint()
    if (more >= MAX_ACK_RANGES) throw new SessionViolation(`an ACK has ${more + 1} ranges`)
    let low = high - cursor.varint()
    for (let left = more; ; left--) {
      if (low < 0) throw new SessionViolation('an ACK goes below packet 0')
      this.#ack.push(low, high)
      if (left === 0) break
      high = low - cursor.varint() - 2
      low = high - cursor.varint()
    }
    sink.onAck(this.#ack)
  }

  #close(sink: FrameSink): void {
    const cursor = this.#cursor
    const code = cursor.varint()
    const length = cursor.varint()
    if (length > MAX_REASON_BYTES) throw new SessionViolation(`a reason has ${length} bytes`)
    const start = cursor.skip(length)
    let reason: string
    try {
      reason = decoder.decode(cursor.bytes.subarray(start, start + length))
    } catch {
      throw new SessionViolation('a reason is not UTF-8')
    }
    sink.onCloseFrame(code, reason)
  }

  #open(sink: FrameSink): void {
    const cursor = this.#cursor
    const id = this.#streamId()
    const protocol = cursor.byte()
    if (protocol === PROTOCOL_UDP || protocol === PROTOCOL_DNS || protocol === PROTOCOL_IP)
      return sink.onOpen(id, protocol, 0, '')
    if (protocol === PROTOCOL_SERVICE) return this.#openService(sink, id)
    if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_MEASURE)
      throw new SessionViolation(`protocol ${protocol} does not exist`)
    const port = this.#port()
    sink.onOpen(id, protocol, port, this.#host())
  }

  #openService(sink: FrameSink, id: number): void {
    const cursor = this.#cursor
    const from = cursor.skip(MEMBER_KEY_BYTES)
    // A copy: the stream keeps it for longer than its packet.
    const member = cursor.bytes.slice(from, from + MEMBER_KEY_BYTES)
    const length = cursor.byte()
    const start = cursor.skip(length)
    const name = ascii(cursor.bytes, start, length)
    if (!isServiceName(name)) throw new SessionViolation('a service has no such name')
    sink.onOpen(id, PROTOCOL_SERVICE, 0, name, member)
  }

  #port(): number {
    const cursor = this.#cursor
    const port = (cursor.byte() << 8) | cursor.byte()
    if (port === 0) throw new SessionViolation('a target has no port')
    return port
  }

  #host(): string {
    const cursor = this.#cursor
    const length = cursor.byte()
    if (length === 0) throw new SessionViolation('a target has no host')
    const host = ascii(cursor.bytes, cursor.skip(length), length)
    if (!isTargetHost(host)) throw new SessionViolation('a host is not printable ASCII')
    return host
  }

  #readDatagram(type: number, sink: FrameSink): void {
    const cursor = this.#cursor
    const frame = this.#datagram
    frame.channel = this.#streamId()
    frame.target = cursor.varint()
    frame.isNamed = (type & DATAGRAM_NAMED) !== 0
    frame.port = frame.isNamed ? this.#port() : 0
    frame.host = frame.isNamed ? this.#host() : ''
    frame.isPart = (type & DATAGRAM_PART) !== 0
    frame.number = frame.isPart ? cursor.varint() : 0
    frame.total = frame.isPart ? cursor.varint() : 0
    frame.offset = frame.isPart ? cursor.varint() : 0
    const length = (type & DATAGRAM_LENGTH) === 0 ? cursor.left : cursor.varint()
    const start = cursor.skip(length)
    const end = frame.isPart ? frame.total : length
    if (end > MAX_DATAGRAM_BYTES) throw new SessionViolation(`a datagram has ${end} bytes`)
    if (frame.isPart && (length === 0 || frame.offset + length > end))
      throw new SessionViolation('a part is empty or goes beyond its datagram')
    sink.onDatagram(frame, cursor.bytes, start, start + length)
  }

  #opened(sink: FrameSink): void {
    const cursor = this.#cursor
    const id = this.#streamId()
    const length = cursor.byte()
    if (length !== 4 && length !== 16) throw new SessionViolation(`an address has ${length} bytes`)
    const start = cursor.skip(length)
    sink.onOpened(id, cursor.bytes.subarray(start, start + length))
  }
}

function ascii(bytes: Uint8Array, start: number, length: number): string {
  let text = ''
  for (let i = start; i < start + length; i++) text += String.fromCharCode(bytes[i] ?? 0)
  return text
}
