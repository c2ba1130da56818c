import { type FrameWriter } from './frame-writer.ts'
import { INITIAL_SESSION_WINDOW, PROTOCOL_DNS, PROTOCOL_IP, PROTOCOL_UDP } from './protocol.ts'
import { type SessionDatagrams } from './session-datagrams.ts'
import { SentKind, type SentPackets } from './sent-packets.ts'
import { type SessionStream, StreamControl } from './session-stream.ts'
import { StreamQueue } from './stream-queue.ts'
import { type StreamTarget } from './stream-target.ts'
import { MAX_FRAMES_PER_PACKET } from './tuning.ts'

/** Frames about the session that wait to be sent, as bits. */
export const SessionControl = { ping: 1, maxData: 2, maxStreams: 4 } as const

/** What waits to be sent, and the order it goes in: the session's own frames, then those about streams, then data and datagrams in turn. */
export class Outbox {
  readonly #sent: SentPackets
  readonly #datagrams: SessionDatagrams
  /** Datagrams go before the data of streams: in every other packet, so that neither waits for long. */
  #datagramsFirst = true
  /** Bits of SessionControl. */
  pending = 0
  /** Values of MAX_DATA and MAX_STREAMS. */
  maxData = INITIAL_SESSION_WINDOW
  maxStreams = 0
  readonly #controls = new StreamQueue<SessionStream>()
  readonly #ready = new StreamQueue<SessionStream>()
  /** Streams with new data that only the session's limit holds back. */
  readonly #blocked = new StreamQueue<SessionStream>()
  /** New bytes that the other side's session limit still lets go. */
  #credit = INITIAL_SESSION_WINDOW
  #limit = INITIAL_SESSION_WINDOW

  constructor(sent: SentPackets, datagrams: SessionDatagrams) {
    this.#sent = sent
    this.#datagrams = datagrams
  }

  /** Bytes of all streams that were sent, those sent again counted once. */
  get dataSent(): number {
    return this.#limit - this.#credit
  }

  get hasWork(): boolean {
    return this.pending !== 0 || this.#controls.size > 0 || this.#first() !== undefined || this.#datagrams.hasWork
  }

  /** Nothing of streams waits, and the other side would take more of them. */
  get mayTakeData(): boolean {
    return this.#credit > 0 && this.#first() === undefined
  }

  addControl(stream: SessionStream, bit: number): void {
    stream.pending |= bit
    this.#controls.add(stream)
  }

  addData(stream: SessionStream): void {
    this.#ready.add(stream)
  }

  raiseLimit(limit: number): void {
    if (limit <= this.#limit) return
    this.#credit += limit - this.#limit
    this.#limit = limit
    for (let stream = this.#blocked.shift(); stream !== undefined; stream = this.#blocked.shift())
      this.#ready.add(stream)
  }

  clear(): void {
    this.pending = 0
    this.#controls.clear()
    this.#ready.clear()
    this.#blocked.clear()
  }

  /** The stream whose turn it is; drops from the queue what has nothing to send. */
  #first(): SessionStream | undefined {
    for (;;) {
      const stream = this.#ready.first
      if (stream === undefined) return undefined
      const { send } = stream
      if (send.hasLost || send.owesFin) return stream
      const fresh = send.fresh > 0
      if (fresh && this.#credit > 0) return stream
      this.#ready.shift()
      if (fresh) this.#blocked.add(stream)
    }
  }

  /** Writes what fits; returns the number of frames that were written and noted. */
  write(writer: FrameWriter, payload: Uint8Array): number {
    let frames = this.pending === 0 ? 0 : this.#writeOwn(writer)
    if (this.#controls.size > 0) frames = this.#writeControls(writer, frames)
    // OPEN and OPENED go before their stream's data: none goes while a control frame did not fit.
    if (this.#controls.size > 0) return frames
    if (!this.#datagrams.hasWork) return this.#writeData(writer, payload, frames)
    this.#datagramsFirst = !this.#datagramsFirst
    if (this.#datagramsFirst) return this.#writeData(writer, payload, this.#datagrams.write(writer, frames, true))
    const before = frames
    frames = this.#writeData(writer, payload, frames)
    return this.#datagrams.write(writer, frames, frames === before)
  }

  #writeOwn(writer: FrameWriter): number {
    let frames = 0
    for (let bit = 1; bit <= SessionControl.maxStreams; bit <<= 1) {
      if ((this.pending & bit) === 0) continue
      const fits =
        bit === SessionControl.ping
          ? writer.ping()
          : bit === SessionControl.maxData
            ? writer.maxData(this.maxData)
            : writer.maxStreams(this.maxStreams)
      if (!fits) break
      this.pending &= ~bit
      this.#sent.addFrame(SentKind.sessionControl, 0, bit, 0)
      frames++
    }
    return frames
  }

  #writeControls(writer: FrameWriter, before: number): number {
    let frames = before
    for (;;) {
      const stream = this.#controls.first
      if (stream === undefined) return frames
      for (let bit = 1; bit <= StreamControl.limit; bit <<= 1) {
        if ((stream.pending & bit) === 0) continue
        if (frames >= MAX_FRAMES_PER_PACKET || !writeControl(writer, stream, bit)) return frames
        stream.pending &= ~bit
        this.#sent.addFrame(SentKind.streamControl, stream.id, bit, 0)
        frames++
      }
      this.#controls.shift()
    }
  }

  #writeData(writer: FrameWriter, payload: Uint8Array, before: number): number {
    let frames = before
    while (frames < MAX_FRAMES_PER_PACKET) {
      const stream = this.#first()
      if (stream === undefined) break
      const { send } = stream
      const offset = send.pieceOffset
      const wanted = send.pieceLength(this.#credit)
      const last = send.endsAt(offset + wanted)
      const length = writer.streamHead(stream.id, offset, wanted, last)
      if (length < 0) break
      const fin = last && length === wanted
      this.#credit -= send.take(offset, length, fin, payload, writer.at)
      writer.wrote(length)
      this.#sent.addFrame(fin ? SentKind.streamEnd : SentKind.stream, stream.id, offset, length)
      frames++
      this.#ready.rotate()
    }
    return frames
  }
}

function writeControl(writer: FrameWriter, stream: SessionStream, bit: number): boolean {
  const { id } = stream
  switch (bit) {
    case StreamControl.open:
      return stream.target === undefined || writeOpen(writer, id, stream.target)
    case StreamControl.opened:
      return writer.opened(id, stream.address)
    case StreamControl.refused:
      return writer.refused(id, stream.code)
    case StreamControl.reset:
      return writer.resetStream(id, stream.code, stream.send.finalSize)
    case StreamControl.stop:
      return writer.stopSending(id, stream.code)
    default:
      return writer.maxStreamData(id, stream.receive.window.limit)
  }
}

function writeOpen(writer: FrameWriter, id: number, { protocol, port, host, member }: StreamTarget): boolean {
  if (protocol === undefined) return writer.open(id, port, host)
  switch (protocol) {
    case 'udp':
      return writer.openBare(id, PROTOCOL_UDP)
    case 'dns':
      return writer.openBare(id, PROTOCOL_DNS)
    case 'ip':
      return writer.openBare(id, PROTOCOL_IP)
    case 'service':
      // Checked when the stream was opened.
      return member === undefined || writer.openService(id, member, host)
  }
}
