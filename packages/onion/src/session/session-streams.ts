import { WeftError } from '@weft/core'
import { type AckFrame } from './ack-frame.ts'
import { DatagramChannel } from './datagram-channel.ts'
import { type DatagramFrame } from './datagram-frame.ts'
import { type FrameSink } from './frame-reader.ts'
import { ipFromBytes } from './ip-bytes.ts'
import { IpChannel } from './ip-channel.ts'
import { type SessionMemory } from './memory-budget.ts'
import { type Outbox, SessionControl } from './outbox.ts'
import { INITIAL_SESSION_WINDOW, MAX_DATAGRAMS_PER_PACKET, MAX_SESSION_WINDOW } from './protocol.ts'
import { ReceiveWindow } from './receive-window.ts'
import { type FrameLedger } from './recovery.ts'
import { type SessionLegs } from './session-legs.ts'
import { SentKind } from './sent-packets.ts'
import { type SessionDatagrams } from './session-datagrams.ts'
import { SessionStream, StreamControl, type StreamHost } from './session-stream.ts'
import { SessionViolation } from './session-violation.ts'
import { StreamQueue } from './stream-queue.ts'
import { StreamTable } from './stream-table.ts'
import { IP_CHANNEL, type StreamTarget, UDP_CHANNEL, serviceOf, targetOf } from './stream-target.ts'
import { type StreamsOwner } from './streams-owner.ts'
import { checkService, checkTarget } from './target-host.ts'
import { MAX_WAITING_STREAMS } from './tuning.ts'
import { WriteRoom } from './write-room.ts'

/**
 * The streams of a session: opens them, takes the frames that are about them, hands on what came in order, keeps the session's
 * window, and answers what became of frames that were sent.
 */
export class SessionStreams implements FrameSink, FrameLedger, StreamHost {
  readonly #owner: StreamsOwner
  readonly #isExit: boolean
  readonly #memory: SessionMemory
  readonly #legs: SessionLegs
  readonly #outbox: Outbox
  readonly #datagrams: SessionDatagrams
  readonly #table = new StreamTable()
  readonly #window = new ReceiveWindow(INITIAL_SESSION_WINDOW, MAX_SESSION_WINDOW)
  /** Sum of the streams' highest offsets. */
  #receivedData = 0
  readonly #room: WriteRoom
  /** Streams with bytes or an end to hand on; of a client, those that wait for the exit's leave. */
  readonly #arrived = new StreamQueue<SessionStream>()
  readonly #waiting = new StreamQueue<SessionStream>()
  #isOver = false
  /** Of the packet that is read: it asks for an ACK; bytes or a stream of it could not be kept, so it was not received. */
  isEliciting = false
  isDropped = false
  #datagramsOfPacket = 0

  constructor(owner: StreamsOwner) {
    this.#owner = owner
    this.#isExit = owner.isExit
    this.#memory = owner.memory
    this.#legs = owner.legs
    this.#outbox = owner.outbox
    this.#datagrams = owner.datagrams
    this.#room = new WriteRoom(
      owner.memory,
      owner.legs,
      owner.payloadLength,
      this.#table,
      () => this.#outbox.mayTakeData && !this.#table.hasDataInFlight,
      () => owner.announce(),
    )
  }

  /** Streams that are known and not over. */
  get size(): number {
    return this.#table.size
  }

  /** Bytes of streams that were received, as flow control counts them. */
  get receivedData(): number {
    return this.#receivedData
  }

  /** A packet's frames come next. */
  beginPacket(): void {
    this.isEliciting = false
    this.isDropped = false
    this.#datagramsOfPacket = 0
  }

  /** True when deliver() has something to do. */
  get hasNews(): boolean {
    return this.#arrived.size > 0 || this.#room.hasNews
  }

  /**
   * Client: opens a stream, or lets it wait for the exit's leave.
   * @throws WeftError E_SESSION_CLOSED, E_TARGET_INVALID, E_SESSION_STREAMS
   */
  open(target: StreamTarget): SessionStream {
    if (this.#isOver || this.#isExit)
      throw new WeftError({
        code: 'E_SESSION_CLOSED',
        cause: 'A stream was asked for of a session that is over, or at its exit.',
        fix: 'Open the stream in a new session; `weft vpn status` shows whether there is one.',
        retryable: true,
      })
    if (target.protocol === undefined || target.protocol === 'measure') checkTarget(target.host, target.port)
    else if (target.protocol === 'service') checkService(target.host, target.member)
    if (this.#waiting.size >= MAX_WAITING_STREAMS)
      throw new WeftError({
        code: 'E_SESSION_STREAMS',
        cause: `${MAX_WAITING_STREAMS} streams wait already until the exit allows more.`,
        fix: 'Close streams that are not needed, or open fewer at once.',
        retryable: true,
      })
    const stream = new SessionStream(this, this.#memory, -1, target)
    this.#waiting.add(stream)
    this.#activateWaiting()
    return stream
  }

  #activateWaiting(): void {
    while (this.#waiting.size > 0) {
      const id = this.#table.nextId()
      const stream = id === undefined ? undefined : this.#waiting.shift()
      if (id === undefined || stream === undefined) return
      this.#table.add(id, stream)
      stream.activate(id)
    }
  }

  /** The session is over: resets all streams. */
  end(code: number): void {
    this.#isOver = true
    this.#room.clear()
    const streams = this.#table.all()
    if (this.#isExit) this.#memory.budget.giveStreams(streams.length)
    for (let stream = this.#waiting.shift(); stream !== undefined; stream = this.#waiting.shift()) streams.push(stream)
    this.#table.clear()
    this.#arrived.clear()
    for (const stream of streams) stream.onSessionEnd(code)
    this.#datagrams.clear()
  }

  /** Hands on what came since the last call, and tells streams that they may write again. */
  deliver(): void {
    for (let stream = this.#arrived.shift(); stream !== undefined; stream = this.#arrived.shift()) this.#handOn(stream)
    this.#room.tell()
  }

  #handOn(stream: SessionStream): void {
    // Until the target is connected, or the client knows it, bytes wait.
    if (stream.state === 'opening') return
    const { receive, handler } = stream
    if (handler.onReadable === undefined) {
      for (let chunk = receive.next(); chunk !== undefined; chunk = receive.next()) stream.handler.onData?.(chunk)
      receive.giveBack()
    } else if (receive.hasReady) handler.onReadable()
    if (receive.isDone && !receive.isDiscarding && !stream.endSaid) {
      stream.endSaid = true
      stream.handler.onEnd?.()
    }
    this.settle(stream)
  }

  // What streams need (StreamHost).

  schedule(stream: SessionStream): void {
    if (stream.id < 0 || this.#isOver) return
    this.#outbox.addData(stream)
    this.#owner.announce()
  }

  control(stream: SessionStream, bit: number): void {
    if (this.#isOver) return
    this.#outbox.addControl(stream, bit)
    this.#owner.announce()
  }

  credit(bytes: number): void {
    if (!this.#consume(this.#window, bytes)) return
    this.#outbox.maxData = this.#window.limit
    this.#outbox.pending |= SessionControl.maxData
    this.#owner.announce()
  }

  raise(stream: SessionStream, bytes: number): boolean {
    return this.#consume(stream.receive.window, bytes)
  }

  #consume(window: ReceiveWindow, bytes: number): boolean {
    const now = this.#owner.clock.monotonic()
    return window.consume(bytes, now, this.#legs.smoothedRtt, !this.#memory.budget.isTight)
  }

  mark(stream: SessionStream): number {
    return this.#room.mark(stream)
  }

  awaitRoom(stream: SessionStream): void {
    this.#room.check(stream)
    this.#owner.announce()
  }

  mayWrite(stream: SessionStream): void {
    this.#room.let(stream)
  }

  wrote(stream: SessionStream): void {
    this.#room.onWritten(stream)
  }

  ready(stream: SessionStream): void {
    if (!stream.receive.hasReady && !stream.receive.isDone) return
    this.#arrived.add(stream)
    this.#owner.announce()
  }

  settle(stream: SessionStream): void {
    if (stream.id < 0 || !stream.isSettled || this.#table.find(stream.id) !== stream) return
    stream.onSettled()
    this.#room.forget(stream)
    const mayTell = this.#table.remove(stream.id)
    if (!this.#isExit) return
    this.#memory.budget.giveStreams(1)
    if (!mayTell) return
    this.#outbox.maxStreams = this.#table.renewLimit()
    this.#outbox.pending |= SessionControl.maxStreams
    this.#owner.announce()
  }

  makeChannel(): DatagramChannel {
    return new DatagramChannel(this.#datagrams)
  }

  makeIpChannel(): IpChannel {
    return new IpChannel(this.#datagrams)
  }

  endChannel(channel: DatagramChannel | IpChannel): void {
    this.#datagrams.forget(channel)
  }

  // What became of frames about streams that were sent (FrameLedger); those of the session are the session's.

  onFrameAcked(kind: number, id: number, offset: number, length: number): void {
    const stream = this.#table.find(id)
    if (stream === undefined || kind === SentKind.datagram) return
    if (kind === SentKind.namedDatagram) {
      stream.channel?.onNamed(offset)
      return
    }
    if (kind === SentKind.streamControl) {
      stream.acked |= offset
      stream.pending &= ~(offset & stream.owed)
    } else {
      stream.send.onAcked(offset, length, kind === SentKind.streamEnd)
      if (stream.isFull) this.#room.check(stream)
      if (!stream.send.isEnded) return
    }
    this.settle(stream)
  }

  onFrameLost(kind: number, id: number, offset: number, length: number): void {
    const stream = this.#table.find(id)
    // A datagram is never sent again.
    if (stream === undefined || kind === SentKind.datagram || kind === SentKind.namedDatagram) return
    if (kind === SentKind.streamControl) {
      // Of a stream whose end is known no more is asked, neither bytes nor to stop.
      const ended = stream.receive.hasFinalSize ? StreamControl.limit | StreamControl.stop : 0
      if ((offset & ((stream.acked & stream.owed) | ended)) === 0) this.#outbox.addControl(stream, offset)
      return
    }
    stream.send.onLost(offset, length, kind === SentKind.streamEnd)
    this.#outbox.addData(stream)
  }

  // Frames as they come (FrameSink).

  onPing(): void {
    this.isEliciting = true
  }

  onAck(ack: AckFrame): void {
    this.#owner.onAck(ack)
  }

  onName(name: Uint8Array): void {
    this.isEliciting = true
    if (!this.#isExit) throw new SessionViolation('an exit sent NAME')
    if (!this.#isOver) this.#owner.onName(name)
  }

  onJoin(leg: number, _status: number, name: Uint8Array): void {
    this.isEliciting = true
    if (!this.#isExit) throw new SessionViolation('an exit sent JOIN')
    this.#owner.onJoin(leg, name)
  }

  onLeg(leg: number, sequence: number, status: number): void {
    this.isEliciting = true
    if (!this.#isExit) throw new SessionViolation('an exit sent LEG')
    this.#owner.onLeg(leg, sequence, status)
  }

  onMaxData(limit: number): void {
    this.isEliciting = true
    this.#outbox.raiseLimit(limit)
  }

  onMaxStreams(limit: number): void {
    this.isEliciting = true
    if (this.#isExit) throw new SessionViolation('a client sent MAX_STREAMS')
    this.#table.raiseLimit(limit)
    this.#activateWaiting()
  }

  onCloseFrame(code: number, reason: string): void {
    this.#owner.onCloseFrame(code, reason)
  }

  /** The stream that a frame is about; made when an exit hears of it for the first time; undefined when it is over. */
  #incoming(id: number): SessionStream | undefined {
    this.isEliciting = true
    // Frames behind a CLOSE in its packet, or behind what made an owner close the session.
    if (this.#isOver) return undefined
    const known = this.#isExit ? this.#table.find(id) : this.#table.known(id)
    if (known !== undefined || !this.#isExit || !this.#table.isNew(id)) return known
    if (!this.#memory.budget.takeStream(this.#table.size)) {
      // As if the packet had been lost: the client asks again, and by then there may be room.
      this.isDropped = true
      return undefined
    }
    const stream = new SessionStream(this, this.#memory, id, undefined)
    this.#table.add(id, stream)
    return stream
  }

  onOpen(id: number, protocol: number, port: number, host: string, member?: Uint8Array): void {
    if (!this.#isExit) throw new SessionViolation('an exit sent OPEN')
    const stream = this.#incoming(id)
    if (stream === undefined) return
    const target = member === undefined ? targetOf(protocol, port, host) : serviceOf(host, member)
    if ((target === UDP_CHANNEL || target === IP_CHANNEL) && stream.receive.highest > 0)
      throw new SessionViolation('a channel has bytes')
    if (stream.onOpen(target)) this.#owner.onStream(stream)
  }

  onOpened(id: number, address: Uint8Array): void {
    if (this.#isExit) throw new SessionViolation('a client sent OPENED')
    this.#incoming(id)?.onOpened(ipFromBytes(address))
  }

  onRefused(id: number, code: number): void {
    if (this.#isExit) throw new SessionViolation('a client sent REFUSED')
    const stream = this.#incoming(id)
    if (stream?.state === 'open') throw new SessionViolation(`stream ${id} is refused after it was opened`)
    stream?.onRefused(code)
  }

  onStreamData(id: number, offset: number, fin: boolean, payload: Uint8Array, start: number, end: number): void {
    const stream = this.#incoming(id)
    if (stream === undefined) return
    if (stream.isChannel && end > start) throw new SessionViolation('a channel has bytes')
    const { receive } = stream
    const last = offset + end - start
    const rise = receive.check(last, fin)
    this.#checkRise(rise)
    if (!receive.insert(offset, payload, start, end, fin)) {
      if (!stream.takesAtOnce || !receive.isNext(offset, last)) {
        this.isDropped = true
        return
      }
      // No memory, but the next bytes in order need none.
      const next = start + receive.delivered - offset
      receive.note(last, fin)
      receive.skipTo(last)
      stream.handler.onData?.(payload.subarray(next, end))
    }
    this.#receivedData += rise
    if (receive.hasGap) this.#window.onGap(this.#receivedData)
    if (receive.isDiscarding) {
      stream.onDiscarded()
      this.settle(stream)
    } else if (receive.hasReady || receive.isDone) this.#arrived.add(stream)
  }

  /** Of a stream that is over, or not opened yet: nothing; datagrams may pass each other and OPEN. */
  #channelOf(id: number): DatagramChannel | IpChannel | undefined {
    this.isEliciting = true
    if (this.#isOver) return undefined
    const stream = this.#isExit ? this.#table.find(id) : this.#table.known(id)
    if (stream === undefined || stream.target === undefined) return undefined
    const channel = stream.channel ?? stream.ip
    if (channel === undefined) throw new SessionViolation(`stream ${id} is no channel`)
    return stream.state === 'open' ? channel : undefined
  }

  onDatagram(frame: DatagramFrame, payload: Uint8Array, start: number, end: number): void {
    if (++this.#datagramsOfPacket > MAX_DATAGRAMS_PER_PACKET)
      throw new SessionViolation(`a packet has more than ${MAX_DATAGRAMS_PER_PACKET} datagrams`)
    const channel = this.#channelOf(frame.channel)
    if (channel instanceof IpChannel) return this.#datagrams.onIpFrame(channel, frame, payload, start, end)
    // As if the packet had been lost: the client names the target again, and by then there may be room.
    if (channel !== undefined && !this.#datagrams.onFrame(channel, frame, payload, start, end)) this.isDropped = true
  }

  onUnreached(id: number, target: number, code: number): void {
    if (this.#isExit) throw new SessionViolation('a client sent UNREACHED')
    const channel = this.#channelOf(id)
    if (channel instanceof IpChannel) throw new SessionViolation('a channel of IP packets has no targets')
    channel?.onUnreached(target, code)
  }

  #checkRise(bytes: number): void {
    if (this.#receivedData + bytes > this.#window.limit) throw new SessionViolation("the session's limit is exceeded")
  }

  onMaxStreamData(id: number, limit: number): void {
    const stream = this.#incoming(id)
    if (stream === undefined || stream.state === 'closed') return
    stream.send.raiseLimit(limit)
    this.#outbox.addData(stream)
    if (stream.isFull) this.#room.check(stream)
  }

  onResetStream(id: number, code: number, finalSize: number): void {
    const stream = this.#incoming(id)
    if (stream === undefined) return
    const { receive } = stream
    const rise = receive.check(finalSize, true)
    this.#checkRise(rise)
    this.#receivedData += rise
    // Everything came and was handed on: the reset changes nothing (RFC 9000, section 3.2).
    const wasDone = receive.isDone && !receive.isDiscarding
    receive.note(finalSize, true)
    if (wasDone) return
    if (receive.isDiscarding) stream.onDiscarded()
    stream.onReset(code)
  }

  onStopSending(id: number, code: number): void {
    const stream = this.#incoming(id)
    if (stream !== undefined && !stream.send.isDone) stream.onReset(code)
  }
}
