import { type FrameWriter } from './frame-writer.ts'
import {
  INITIAL_SESSION_WINDOW,
  LegStatus,
  PROTOCOL_DNS,
  PROTOCOL_IP,
  PROTOCOL_MEASURE,
  PROTOCOL_UDP,
} from './protocol.ts'
import { type SessionDatagrams } from './session-datagrams.ts'
import { SentKind, type SentPackets } from './sent-packets.ts'
import { type SessionStream, StreamControl } from './session-stream.ts'
import { StreamQueue } from './stream-queue.ts'
import { type StreamTarget } from './stream-target.ts'
import { MAX_FRAMES_PER_PACKET, MAX_LEG_NEWS } from './tuning.ts'

/** Frames about the session that wait to be sent, as bits. */
export const SessionControl = { name: 1, maxData: 2, maxStreams: 4 } as const

/** What is told of a leg, and whether that waits to be sent. */
interface LegNews {
  sequence: number
  status: number
  isOwed: boolean
}

/** What waits to be sent, and the order it goes in: the session's own frames, then those about streams, then data and datagrams in turn. */
export class Outbox {
  readonly #datagrams: SessionDatagrams
  readonly #legNews = new Map<number, LegNews>()
  #legsOwed = 0
  /** Datagrams go before the data of streams: in every other packet, so that neither waits for long. */
  #datagramsFirst = true
  /** Bits of SessionControl. */
  pending = 0
  /** Values of NAME, MAX_DATA and MAX_STREAMS. */
  name = new Uint8Array(0)
  maxData = INITIAL_SESSION_WINDOW
  maxStreams = 0
  readonly #controls = new StreamQueue<SessionStream>()
  readonly #ready = new StreamQueue<SessionStream>()
  /** Streams with new data that only the session's limit holds back. */
  readonly #blocked = new StreamQueue<SessionStream>()
  /** New bytes that the other side's session limit still lets go. */
  #credit = INITIAL_SESSION_WINDOW
  #limit = INITIAL_SESSION_WINDOW

  constructor(datagrams: SessionDatagrams) {
    this.#datagrams = datagrams
  }

  /** Bytes of all streams that were sent, those sent again counted once. */
  get dataSent(): number {
    return this.#limit - this.#credit
  }

  /** Something waits that may go over any leg. */
  get hasWork(): boolean {
    return this.pending !== 0 || this.#legsOwed > 0 || this.#controls.size > 0 || this.#first() !== undefined
  }

  /** The newest that is to be said of a leg. @param status one of LegStatus */
  tellOfLeg(leg: number, status: number): void {
    const news = this.#legNews.get(leg) ?? { sequence: -1, status, isOwed: false }
    if (!news.isOwed) this.#legsOwed++
    this.#legNews.set(leg, { sequence: news.sequence + 1, status, isOwed: true })
    if (this.#legNews.size > MAX_LEG_NEWS) this.#forgetOldestLeg()
  }

  /** An exit that acknowledges none of it has seen the circuit end as well. */
  #forgetOldestLeg(): void {
    for (const [leg, news] of this.#legNews) if (news.status === LegStatus.gone) return this.#forgetLeg(leg, news)
  }

  onLegTold(leg: number, sequence: number): void {
    const news = this.#legNews.get(leg)
    if (news?.sequence === sequence && news.status === LegStatus.gone) this.#forgetLeg(leg, news)
  }

  /** What was said last of a leg was lost: it is said again, unless there is news by now. */
  onLegLost(leg: number, sequence: number): void {
    const news = this.#legNews.get(leg)
    if (news?.sequence !== sequence || news.isOwed) return
    news.isOwed = true
    this.#legsOwed++
  }

  #forgetLeg(leg: number, { isOwed }: LegNews): void {
    if (isOwed) this.#legsOwed--
    this.#legNews.delete(leg)
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
    this.#legNews.clear()
    this.#legsOwed = 0
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

  /**
   * Writes what fits; returns the number of frames of the packet that were written and noted.
   * @param sent of the leg that it goes over
   * @param before frames of the packet that are noted already
   * @param withDatagrams this is the leg that datagrams go over
   */
  write(writer: FrameWriter, payload: Uint8Array, sent: SentPackets, before: number, withDatagrams: boolean): number {
    let frames = this.pending === 0 ? before : this.#writeOwn(writer, sent, before)
    if (this.#legsOwed > 0) frames = this.#writeLegs(writer, sent, frames)
    if (this.#controls.size > 0) frames = this.#writeControls(writer, sent, frames)
    // OPEN and OPENED go before their stream's data: none goes while a control frame did not fit.
    if (this.#controls.size > 0) return frames
    if (!withDatagrams || !this.#datagrams.hasWork) return this.#writeData(writer, payload, sent, frames)
    this.#datagramsFirst = !this.#datagramsFirst
    if (this.#datagramsFirst)
      return this.#writeData(writer, payload, sent, this.#datagrams.write(writer, sent, frames, true))
    const behind = this.#writeData(writer, payload, sent, frames)
    return this.#datagrams.write(writer, sent, behind, behind === frames)
  }

  #writeOwn(writer: FrameWriter, sent: SentPackets, before: number): number {
    let frames = before
    for (let bit = 1; bit <= SessionControl.maxStreams; bit <<= 1) {
      if ((this.pending & bit) === 0) continue
      const fits =
        bit === SessionControl.name
          ? writer.name(this.name)
          : bit === SessionControl.maxData
            ? writer.maxData(this.maxData)
            : writer.maxStreams(this.maxStreams)
      if (!fits) break
      this.pending &= ~bit
      sent.addFrame(SentKind.sessionControl, 0, bit, 0)
      frames++
    }
    return frames
  }

  #writeLegs(writer: FrameWriter, sent: SentPackets, before: number): number {
    let frames = before
    for (const [leg, news] of this.#legNews) {
      if (!news.isOwed) continue
      if (!writer.leg(leg, news.sequence, news.status)) break
      news.isOwed = false
      this.#legsOwed--
      sent.addFrame(SentKind.legStatus, leg, news.sequence, 0)
      frames++
    }
    return frames
  }

  #writeControls(writer: FrameWriter, sent: SentPackets, before: number): number {
    let frames = before
    for (;;) {
      const stream = this.#controls.first
      if (stream === undefined) return frames
      for (let bit = 1; bit <= StreamControl.limit; bit <<= 1) {
        if ((stream.pending & bit) === 0) continue
        if (frames >= MAX_FRAMES_PER_PACKET || !writeControl(writer, stream, bit)) return frames
        stream.pending &= ~bit
        sent.addFrame(SentKind.streamControl, stream.id, bit, 0)
        frames++
      }
      this.#controls.shift()
    }
  }

  #writeData(writer: FrameWriter, payload: Uint8Array, sent: SentPackets, before: number): number {
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
      sent.addFrame(fin ? SentKind.streamEnd : SentKind.stream, stream.id, offset, length)
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
    case 'measure':
      return writer.open(id, port, host, PROTOCOL_MEASURE)
    case 'service':
      // Checked when the stream was opened.
      return member === undefined || writer.openService(id, member, host)
  }
}
