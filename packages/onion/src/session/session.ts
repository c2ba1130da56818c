import { type Random, WeftError, randomInt } from '@weft/core'
import { type AckFrame } from './ack-frame.ts'
import { Cubic } from './cubic.ts'
import { type FrameSink, FrameReader, isTargetHost } from './frame-reader.ts'
import { FrameWriter } from './frame-writer.ts'
import { ipFromBytes } from './ip-bytes.ts'
import { MemoryBudget, type MemoryWaiter, SessionMemory } from './memory-budget.ts'
import { Outbox, SessionControl } from './outbox.ts'
import { Pacer } from './pacer.ts'
import { IDLE_TIMEOUT_MS, INITIAL_SESSION_WINDOW, MAX_SESSION_WINDOW, SessionCode } from './protocol.ts'
import { ReceiveWindow } from './receive-window.ts'
import { ReceivedPackets } from './received-packets.ts'
import { type FrameLedger, Recovery } from './recovery.ts'
import { SentKind } from './sent-packets.ts'
import { SessionStream, StreamControl, type StreamHost, type StreamTarget } from './session-stream.ts'
import { SessionViolation } from './session-violation.ts'
import { StreamQueue } from './stream-queue.ts'
import { StreamTable } from './stream-table.ts'
import {
  DEFAULT_MEMORY,
  KEEP_ALIVE_MS,
  MAX_CLOSE_REPEATS,
  MAX_SEND_MARK,
  MAX_WAITING_STREAMS,
  MIN_NUMBER_GAP,
  MIN_SEND_MARK,
  WRITE_CHUNK,
} from './tuning.ts'

export interface SessionInit {
  readonly role: 'client' | 'exit'
  /** Monotonic ms. */
  readonly clock: { monotonic(): number }
  readonly random: Random
  /** Bytes of a packet's payload: 1379 - 25 d at an exit of depth d (docs/specs/packets.md, Sizes). */
  readonly payloadLength: number
  /** Shared by the sessions of an exit; a session without one has 256 MiB of its own. */
  readonly memory?: MemoryBudget
  /** Exit: a client opens a stream. Set its handler within the call; accept() or refuse() it then or later. */
  onStream?(stream: SessionStream): void
  /** A stream or close() gave the session something to send; not called again until wantsToSend() was false. */
  onWritable?(): void
  /** The session is over, by either side; called once. After a close() of this side one packet may still want to be sent. */
  onClose?(code: number, reason: string): void
}

export interface SessionStats {
  /** Smoothed; undefined before the first sample. */
  readonly rttMs: number | undefined
  readonly minRttMs: number | undefined
  /** Bytes, of whole packets. */
  readonly cwnd: number
  readonly inFlight: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly packetsSent: number
  readonly packetsLost: number
  /** Of the packets lost, those that came later after all. */
  readonly packetsSpurious: number
  /** Bytes held for this session. */
  readonly memory: number
}

/** A side that only receives has its ACKs acknowledged now and then, so that it may forget old ranges (RFC 9000, section 13.2.4). */
const PING_EVERY = 64

/**
 * A session (docs/specs/session.md): streams over packets that may be lost, doubled and reordered. Does no input or output and sets
 * no timer. Its owner calls, in this order and whenever something happened:
 * - receive() for each packet, and endBatch() after the last of those that came together;
 * - onTimeout() when nextTimeout() has come;
 * - then, while wantsToSend(), fill() with a payload to be sealed and sent.
 */
export class Session implements FrameSink, FrameLedger, StreamHost, MemoryWaiter {
  readonly #init: SessionInit
  readonly #isExit: boolean
  readonly #memory: SessionMemory
  readonly #reader = new FrameReader()
  readonly #writer = new FrameWriter()
  readonly #received = new ReceivedPackets()
  readonly #recovery: Recovery
  readonly #pacer = new Pacer()
  readonly #outbox: Outbox
  readonly #table = new StreamTable()
  readonly #window = new ReceiveWindow(INITIAL_SESSION_WINDOW, MAX_SESSION_WINDOW)
  /** Sum of the streams' highest offsets. */
  #receivedData = 0
  /** Streams with bytes or an end to hand on; that may write again; that wait for memory; of a client, for the exit's leave. */
  readonly #arrived = new StreamQueue<SessionStream>()
  readonly #drained = new StreamQueue<SessionStream>()
  readonly #starving = new StreamQueue<SessionStream>()
  readonly #waiting = new StreamQueue<SessionStream>()
  #state: 'open' | 'closing' | 'closed' = 'open'
  #closeOwed = false
  #closeRepeats = 0
  #closeCode = 0
  #closeReason = ''
  #announced = false
  #eliciting = false
  #dropped = false
  #now: number
  #lastReceived: number
  #lastPing: number
  #pingNumber: number
  #bytesSent = 0
  #bytesReceived = 0
  #packetsSent = 0
  payloadLength: number

  constructor(init: SessionInit) {
    this.#init = init
    this.#isExit = init.role === 'exit'
    this.payloadLength = init.payloadLength
    this.#memory = new SessionMemory(init.memory ?? new MemoryBudget(DEFAULT_MEMORY))
    const first = randomInt(init.random, 2 ** 31)
    const gap = (): number => MIN_NUMBER_GAP + randomInt(init.random, MIN_NUMBER_GAP + 1)
    this.#recovery = new Recovery(first, gap, new Cubic(), this)
    this.#outbox = new Outbox(this.#recovery.sent)
    this.#now = init.clock.monotonic()
    this.#lastReceived = this.#now
    this.#lastPing = this.#now
    this.#pingNumber = first
  }

  get state(): 'open' | 'closing' | 'closed' {
    return this.#state
  }

  get streams(): number {
    return this.#table.size
  }

  get stats(): SessionStats {
    const { rtt, controller, inFlight, lost, spurious } = this.#recovery
    return {
      rttMs: rtt.hasSample ? rtt.smoothed : undefined,
      minRttMs: rtt.hasSample ? rtt.min : undefined,
      cwnd: Math.floor(controller.window) * this.payloadLength,
      inFlight: inFlight * this.payloadLength,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      packetsSent: this.#packetsSent,
      packetsLost: lost,
      packetsSpurious: spurious,
      memory: this.#memory.held,
    }
  }

  /**
   * Client: opens a stream. Bytes may be written at once; they wait with it while the exit allows no further stream.
   * @throws WeftError E_SESSION_CLOSED, E_TARGET_INVALID, E_SESSION_STREAMS (4096 streams wait already)
   */
  openStream(target: StreamTarget): SessionStream {
    this.#mayOpen(target)
    const stream = new SessionStream(this, this.#memory, -1, { host: target.host, port: target.port })
    this.#waiting.add(stream)
    this.#activateWaiting()
    return stream
  }

  #mayOpen({ host, port }: StreamTarget): void {
    if (this.#state !== 'open' || this.#isExit)
      throw new WeftError({
        code: 'E_SESSION_CLOSED',
        cause: 'A stream was asked for of a session that is over, or at its exit.',
        fix: 'Open the stream in a new session; `weft vpn status` shows whether there is one.',
        retryable: true,
      })
    if (!isTargetHost(host) || !Number.isInteger(port) || port < 1 || port > 65_535)
      throw new WeftError({
        code: 'E_TARGET_INVALID',
        cause: `A stream cannot lead to port ${port} of a host of ${host.length} characters.`,
        fix: 'Name a host of 1 to 255 ASCII characters without spaces, and a port from 1 to 65535.',
      })
    if (this.#waiting.size >= MAX_WAITING_STREAMS)
      throw new WeftError({
        code: 'E_SESSION_STREAMS',
        cause: `${MAX_WAITING_STREAMS} streams wait already until the exit allows more.`,
        fix: 'Close streams that are not needed, or open fewer at once.',
        retryable: true,
      })
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

  /** Ends the session: tells the other side, resets all streams. `reason` is at most 200 bytes of UTF-8, cut if longer. */
  close(code: number, reason: string): void {
    if (this.#state !== 'open') return
    this.#closeOwed = true
    this.#closeCode = code
    this.#closeReason = reason
    this.#end('closing', code, reason)
    this.#announce()
  }

  #end(state: 'closing' | 'closed', code: number, reason: string): void {
    this.#state = state
    this.#outbox.clear()
    this.#memory.budget.forget(this)
    const streams = this.#table.all()
    if (this.#isExit) this.#memory.budget.giveStreams(streams.length)
    for (let stream = this.#waiting.shift(); stream !== undefined; stream = this.#waiting.shift()) streams.push(stream)
    this.#table.clear()
    this.#arrived.clear()
    this.#drained.clear()
    this.#starving.clear()
    for (const stream of streams) stream.onSessionEnd(code)
    this.#init.onClose?.(code, reason)
  }

  /**
   * Takes a packet that was authentic and no replay. Bytes of streams are handed on by endBatch().
   * A packet that breaks the protocol ends the session with CLOSE 2; nothing is thrown for what the other side does.
   */
  receive(packetNumber: number, payload: Uint8Array): void {
    if (this.#state !== 'open') {
      if (this.#state === 'closing' && this.#closeRepeats < MAX_CLOSE_REPEATS && !this.#closeOwed) {
        this.#closeRepeats++
        this.#closeOwed = true
      }
      return
    }
    const now = this.#init.clock.monotonic()
    this.#now = now
    this.#lastReceived = now
    if (this.#received.isKnown(packetNumber)) return
    this.#eliciting = false
    this.#dropped = false
    try {
      this.#reader.read(payload, this)
    } catch (error) {
      if (!(error instanceof SessionViolation)) throw error
      this.close(SessionCode.violation, error.message)
      return
    }
    // A packet whose bytes could not be kept was not received: the other side sends them again.
    if (this.#dropped) return
    this.#bytesReceived += payload.length
    this.#received.add(packetNumber, this.#eliciting, now)
  }

  /** Hands on what the packets since the last call brought, and tells streams that they may write again. */
  endBatch(): void {
    for (let stream = this.#arrived.shift(); stream !== undefined; stream = this.#arrived.shift()) this.#deliver(stream)
    for (let stream = this.#drained.shift(); stream !== undefined; stream = this.#drained.shift())
      if (stream.isFull && stream.state !== 'closed') {
        stream.isFull = false
        stream.handler.onDrain?.()
      }
  }

  #deliver(stream: SessionStream): void {
    // Until the target is connected, or the client knows it, bytes wait.
    if (stream.state === 'opening') return
    const { receive } = stream
    for (let chunk = receive.next(); chunk !== undefined; chunk = receive.next()) stream.handler.onData?.(chunk)
    receive.onDrained()
    if (receive.isDone && !receive.isDiscarding && !stream.endSaid) {
      stream.endSaid = true
      stream.handler.onEnd?.()
    }
    this.settle(stream)
  }

  /** True when fill() has something to write and the window, pacing or a due ACK lets it. */
  wantsToSend(): boolean {
    const wants = this.#wants()
    if (!wants) this.#announced = false
    return wants
  }

  #wants(): boolean {
    if (this.#state !== 'open') return this.#closeOwed
    const recovery = this.#recovery
    if (recovery.sent.isFull) return false
    const now = this.#init.clock.monotonic()
    if (this.#received.isDue(now) || recovery.probes > 0) return true
    return recovery.hasRoom && this.#outbox.hasWork && this.#pacer.maysend(now)
  }

  /** Writes the next packet over the whole of `payload`; returns its packet number. Call only when wantsToSend(). */
  fill(payload: Uint8Array): number {
    const recovery = this.#recovery
    const writer = this.#writer
    const now = this.#init.clock.monotonic()
    const number = recovery.nextNumber
    writer.reset(payload)
    if (this.#state === 'open') this.#writeFrames(payload, now)
    else {
      this.#closeOwed = false
      writer.close(this.#closeCode, this.#closeReason)
      recovery.onSent(false, 0, now)
    }
    writer.finish()
    this.#packetsSent++
    this.#bytesSent += payload.length
    return number
  }

  #writeFrames(payload: Uint8Array, now: number): void {
    const recovery = this.#recovery
    const received = this.#received
    let acks = 0
    if (received.pending && this.#writer.ack(received.ranges, received.delayUs(now))) {
      recovery.sent.addFrame(SentKind.ack, received.largest, 0, 0)
      received.acknowledged()
      acks = 1
    }
    let frames = 0
    const probing = recovery.probes > 0
    if (probing || (recovery.hasRoom && this.#pacer.maysend(now))) {
      if (probing && !this.#outbox.hasWork) this.#outbox.pending |= SessionControl.ping
      if (acks > 0 && this.#owesPing()) this.#outbox.pending |= SessionControl.ping
      frames = this.#outbox.write(this.#writer, payload)
    }
    const eliciting = frames > 0
    recovery.onSent(eliciting, frames + acks, now)
    if (eliciting) {
      this.#pingNumber = recovery.nextNumber
      this.#pacer.onSent(now)
    }
  }

  #owesPing(): boolean {
    return this.#received.ranges.count > 1 && this.#recovery.nextNumber - this.#pingNumber >= PING_EVERY
  }

  /** Monotonic ms at which onTimeout() is due (now or before: at once); undefined when the session is over. */
  nextTimeout(): number | undefined {
    if (this.#state !== 'open') return undefined
    if (this.#arrived.size > 0 || this.#drained.size > 0) return this.#now
    let at = this.#lastReceived + IDLE_TIMEOUT_MS
    if (!this.#isExit) at = Math.min(at, this.#keepAliveAt())
    at = Math.min(at, this.#received.dueAt() ?? Infinity, this.#recovery.timeoutAt() ?? Infinity)
    const now = this.#init.clock.monotonic()
    if (this.#recovery.hasRoom && this.#outbox.hasWork) at = Math.min(at, this.#pacer.nextAt(now))
    return at
  }

  #keepAliveAt(): number {
    return Math.max(this.#lastReceived, this.#lastPing) + KEEP_ALIVE_MS
  }

  /** Does what has fallen due; harmless at any other time. */
  onTimeout(): void {
    if (this.#state !== 'open') return
    const now = this.#init.clock.monotonic()
    this.#now = now
    if (now >= this.#lastReceived + IDLE_TIMEOUT_MS) {
      this.#end('closed', SessionCode.timedOut, 'nothing came for 120 s')
      return
    }
    if (!this.#isExit && now >= this.#keepAliveAt()) {
      this.#lastPing = now
      this.#outbox.pending |= SessionControl.ping
    }
    this.#recovery.onTimeout(now)
    this.#paceAnew()
    this.endBatch()
  }

  #paceAnew(): void {
    const { rtt, controller } = this.#recovery
    if (rtt.hasSample) this.#pacer.setRate(controller.window, rtt.smoothed, controller.isSlowStart)
  }

  #announce(): void {
    if (this.#announced) return
    this.#announced = true
    this.#init.onWritable?.()
  }

  // What streams need (StreamHost).

  schedule(stream: SessionStream): void {
    if (stream.id < 0 || this.#state !== 'open') return
    this.#outbox.addData(stream)
    this.#announce()
  }

  control(stream: SessionStream, bit: number): void {
    if (this.#state !== 'open') return
    this.#outbox.addControl(stream, bit)
    this.#announce()
  }

  credit(bytes: number): void {
    if (!this.#window.consume(bytes, this.#init.clock.monotonic(), this.#rtt(), !this.#memory.budget.isTight)) return
    this.#outbox.maxData = this.#window.limit
    this.#outbox.pending |= SessionControl.maxData
    this.#announce()
  }

  raise(stream: SessionStream, bytes: number): boolean {
    const { window } = stream.receive
    return window.consume(bytes, this.#init.clock.monotonic(), this.#rtt(), !this.#memory.budget.isTight)
  }

  #rtt(): number {
    const { rtt } = this.#recovery
    return rtt.hasSample ? rtt.smoothed : 0
  }

  /** Bytes that a stream may hold: two windows in flight, no more than the other side takes, none beyond the memory budget. */
  mark(stream: SessionStream): number {
    if (!this.#memory.hasShare) return 0
    const flight = 2 * this.#recovery.controller.window * this.payloadLength
    return Math.min(Math.max(flight, MIN_SEND_MARK), stream.send.allowed + WRITE_CHUNK, MAX_SEND_MARK)
  }

  ready(stream: SessionStream): void {
    if (!stream.receive.hasReady && !stream.receive.isDone) return
    this.#arrived.add(stream)
    this.#announce()
  }

  settle(stream: SessionStream): void {
    if (stream.id < 0 || !stream.isSettled || this.#table.find(stream.id) !== stream) return
    stream.onSettled()
    const mayTell = this.#table.remove(stream.id)
    if (!this.#isExit) return
    this.#memory.budget.giveStreams(1)
    if (!mayTell) return
    this.#outbox.maxStreams = this.#table.renewLimit()
    this.#outbox.pending |= SessionControl.maxStreams
    this.#announce()
  }

  /** The shared budget has memory again: one stream that waits for it may write. */
  onMemory(): void {
    const stream = this.#starving.shift()
    if (stream !== undefined) this.#drained.add(stream)
    if (this.#starving.size > 0) this.#memory.budget.wait(this)
    this.#announce()
  }

  #checkDrain(stream: SessionStream): void {
    if (!this.#memory.hasShare) {
      this.#starving.add(stream)
      this.#memory.budget.wait(this)
    } else if (stream.send.buffered <= this.mark(stream) / 2) this.#drained.add(stream)
  }

  // What became of frames that were sent (FrameLedger).

  onFrameAcked(kind: number, id: number, offset: number, length: number): void {
    if (kind === SentKind.ack) {
      this.#received.forgetBelow(id)
      return
    }
    const stream = kind === SentKind.sessionControl ? undefined : this.#table.find(id)
    if (stream === undefined) return
    if (kind === SentKind.streamControl) {
      stream.acked |= offset
      stream.pending &= ~(offset & stream.owed)
    } else {
      stream.send.onAcked(offset, length, kind === SentKind.streamEnd)
      if (stream.isFull) this.#checkDrain(stream)
      if (!stream.send.isEnded) return
    }
    this.settle(stream)
  }

  onFrameLost(kind: number, id: number, offset: number, length: number): void {
    if (kind === SentKind.ack) return
    if (kind === SentKind.sessionControl) {
      this.#outbox.pending |= offset & ~SessionControl.ping
      return
    }
    const stream = this.#table.find(id)
    if (stream === undefined) return
    if (kind === SentKind.streamControl) {
      const isMoot = (offset & stream.acked & stream.owed) !== 0 || this.#isMoot(stream, offset)
      if (!isMoot) this.#outbox.addControl(stream, offset)
      return
    }
    stream.send.onLost(offset, length, kind === SentKind.streamEnd)
    this.#outbox.addData(stream)
  }

  #isMoot(stream: SessionStream, bit: number): boolean {
    return (bit === StreamControl.limit || bit === StreamControl.stop) && stream.receive.hasFinalSize
  }

  // Frames as they come (FrameSink).

  onPing(): void {
    this.#eliciting = true
  }

  onAck(ack: AckFrame): void {
    this.#recovery.onAck(ack, this.#now)
    this.#paceAnew()
    // Nothing of this session is left that could give memory back: without leave to write it would wait for ever.
    if (this.#starving.size > 0 && this.#recovery.inFlight === 0) this.onMemory()
  }

  onMaxData(limit: number): void {
    this.#eliciting = true
    this.#outbox.raiseLimit(limit)
  }

  onMaxStreams(limit: number): void {
    this.#eliciting = true
    if (this.#isExit) throw new SessionViolation('a client sent MAX_STREAMS')
    this.#table.raiseLimit(limit)
    this.#activateWaiting()
  }

  onCloseFrame(code: number, reason: string): void {
    this.#end('closed', code, reason)
  }

  /** The stream that a frame is about; made when an exit hears of it for the first time; undefined when it is over. */
  #incoming(id: number): SessionStream | undefined {
    this.#eliciting = true
    // Frames behind a CLOSE in its packet, or behind what made an owner close the session.
    if (this.#state !== 'open') return undefined
    const known = this.#isExit ? this.#table.find(id) : this.#table.known(id)
    if (known !== undefined || !this.#isExit || !this.#table.isNew(id)) return known
    if (!this.#memory.budget.takeStream(this.#table.size)) {
      // As if the packet had been lost: the client asks again, and by then there may be room.
      this.#dropped = true
      return undefined
    }
    const stream = new SessionStream(this, this.#memory, id, undefined)
    this.#table.add(id, stream)
    return stream
  }

  onOpen(id: number, port: number, host: string): void {
    if (!this.#isExit) throw new SessionViolation('an exit sent OPEN')
    const stream = this.#incoming(id)
    if (stream?.onOpen({ host, port }) === true) this.#init.onStream?.(stream)
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
    const { receive } = stream
    const last = offset + end - start
    const rise = receive.check(last, fin)
    if (this.#receivedData + rise > this.#window.limit) throw new SessionViolation("the session's limit is exceeded")
    if (!receive.insert(offset, payload, start, end, fin)) {
      if (stream.state !== 'open' || !receive.isNext(offset)) {
        this.#dropped = true
        return
      }
      // No memory, but the next bytes in order need none.
      receive.note(last, fin)
      receive.skipTo(last)
      stream.handler.onData?.(payload.subarray(start, end))
    }
    this.#receivedData += rise
    if (receive.isDiscarding) {
      stream.onDiscarded()
      this.settle(stream)
    } else if (receive.hasReady || receive.isDone) this.#arrived.add(stream)
  }

  onMaxStreamData(id: number, limit: number): void {
    const stream = this.#incoming(id)
    if (stream === undefined || stream.state === 'closed') return
    stream.send.raiseLimit(limit)
    this.#outbox.addData(stream)
    if (stream.isFull) this.#checkDrain(stream)
  }

  onResetStream(id: number, code: number, finalSize: number): void {
    const stream = this.#incoming(id)
    if (stream === undefined) return
    const { receive } = stream
    const rise = receive.check(finalSize, true)
    if (this.#receivedData + rise > this.#window.limit) throw new SessionViolation("the session's limit is exceeded")
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
