import { type Random, randomInt } from '@weft/core'
import { Bbr } from './bbr.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameWriter } from './frame-writer.ts'
import { MemoryBudget, SessionMemory } from './memory-budget.ts'
import { Outbox, SessionControl } from './outbox.ts'
import { Pacer } from './pacer.ts'
import { IpPacketPool } from './ip-packet-pool.ts'
import { IDLE_TIMEOUT_MS, SessionCode } from './protocol.ts'
import { ReceivedPackets } from './received-packets.ts'
import { type FrameLedger, Recovery } from './recovery.ts'
import { SentKind } from './sent-packets.ts'
import { type SessionStream } from './session-stream.ts'
import { SessionDatagrams } from './session-datagrams.ts'
import { SessionStreams } from './session-streams.ts'
import { SessionViolation } from './session-violation.ts'
import { type StreamTarget } from './stream-target.ts'
import { CLIENT_IP_PACKETS, DEFAULT_MEMORY, KEEP_ALIVE_MS, MIN_NUMBER_GAP } from './tuning.ts'

export interface SessionInit {
  readonly role: 'client' | 'exit'
  /** Monotonic ms. */
  readonly clock: { monotonic(): number }
  readonly random: Random
  /** Bytes of a packet's payload: 1379 - 25 d at an exit of depth d (docs/specs/packets.md, Sizes). */
  readonly payloadLength: number
  /** Shared by the sessions of an exit; a session without one has 256 MiB of its own. */
  readonly memory?: MemoryBudget
  /** Room for IP packets that wait, shared by the sessions of an exit; a session without one has its own. */
  readonly packets?: IpPacketPool
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
  /**
   * Bytes of streams that were received and sent, each counted once, as flow control counts them (RFC 9000, section 4.1): neither
   * frames nor what is sent again; a gap counts with what came behind it, a reset stream up to its final size. With them datagrams,
   * those that came and those that were sent.
   */
  readonly dataReceived: number
  readonly dataSent: number
  /** Bytes held for this session. */
  readonly memory: number
}

/** A side that only receives has its ACKs acknowledged now and then, so that it may forget old ranges (RFC 9000, section 13.2.4). */
const PING_EVERY = 64

/**
 * A session (docs/specs/session.md): streams and datagrams over packets that may be lost, doubled and reordered. Does no input or output and sets
 * no timer. Its owner calls, in this order and whenever something happened:
 * - receive() for each packet, and endBatch() after the last of those that came together;
 * - onTimeout() when nextTimeout() has come;
 * - then, while wantsToSend(), fill() with a payload to be sealed and sent.
 */
export class Session {
  readonly #init: SessionInit
  readonly #isExit: boolean
  readonly #memory: SessionMemory
  readonly #reader = new FrameReader()
  readonly #writer = new FrameWriter()
  readonly #received = new ReceivedPackets()
  readonly #recovery: Recovery
  readonly #pacer = new Pacer()
  readonly #outbox: Outbox
  readonly #datagrams: SessionDatagrams
  readonly #streams: SessionStreams
  #state: 'open' | 'closing' | 'closed' = 'open'
  #closeOwed = false
  #closeCode = 0
  #closeReason = ''
  #announced = false
  #now: number
  #lastReceived: number
  #lastPing: number
  #pingNumber: number
  #bytesSent = 0
  #bytesReceived = 0
  #packetsSent = 0
  readonly payloadLength: number

  constructor(init: SessionInit) {
    this.#init = init
    this.#isExit = init.role === 'exit'
    this.payloadLength = init.payloadLength
    this.#memory = new SessionMemory(init.memory ?? new MemoryBudget(DEFAULT_MEMORY))
    const first = randomInt(init.random, 2 ** 31)
    const gap = (): number => MIN_NUMBER_GAP + randomInt(init.random, MIN_NUMBER_GAP + 1)
    this.#recovery = new Recovery(first, gap, new Bbr(() => randomInt(init.random, 2 ** 30) / 2 ** 30), this.#ledger())
    this.#datagrams = new SessionDatagrams(
      {
        isExit: this.#isExit,
        clock: init.clock,
        memory: this.#memory,
        payloadLength: init.payloadLength,
        packets: init.packets ?? new IpPacketPool(CLIENT_IP_PACKETS),
      },
      this.#recovery.sent,
      () => this.#announce(),
    )
    this.#outbox = new Outbox(this.#recovery.sent, this.#datagrams)
    this.#streams = new SessionStreams({
      isExit: this.#isExit,
      clock: init.clock,
      payloadLength: init.payloadLength,
      memory: this.#memory,
      recovery: this.#recovery,
      outbox: this.#outbox,
      datagrams: this.#datagrams,
      announce: () => this.#announce(),
      onStream: (stream) => init.onStream?.(stream),
      onAck: (ack) => {
        this.#recovery.onAck(ack, this.#now)
        this.#paceAnew()
      },
      onCloseFrame: (code, reason) => {
        // A packet may have two, or its bytes may have made an owner close the session.
        if (this.#state === 'open') this.#end('closed', code, reason)
      },
    })
    this.#now = init.clock.monotonic()
    this.#lastReceived = this.#now
    this.#lastPing = this.#now
    this.#pingNumber = first
  }

  /** Sorts what became of frames: those of the session are settled here, the others are the streams'. */
  #ledger(): FrameLedger {
    return {
      onFrameAcked: (kind, id, offset, length) => {
        if (kind === SentKind.ack) this.#received.forgetBelow(id)
        else if (kind !== SentKind.sessionControl) this.#streams.onFrameAcked(kind, id, offset, length)
      },
      onFrameLost: (kind, id, offset, length) => {
        if (kind === SentKind.sessionControl) this.#outbox.pending |= offset & ~SessionControl.ping
        else if (kind !== SentKind.ack) this.#streams.onFrameLost(kind, id, offset, length)
      },
    }
  }

  get state(): 'open' | 'closing' | 'closed' {
    return this.#state
  }

  get streams(): number {
    return this.#streams.size
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
      dataReceived: this.#streams.receivedData + this.#datagrams.dataReceived,
      dataSent: this.#outbox.dataSent + this.#datagrams.dataSent,
      memory: this.#memory.held,
    }
  }

  /**
   * Client: opens a stream. Bytes may be written at once; they wait with it while the exit allows no further stream.
   * @throws WeftError E_SESSION_CLOSED, E_TARGET_INVALID, E_SESSION_STREAMS (4096 streams wait already)
   */
  openStream(target: StreamTarget): SessionStream {
    return this.#streams.open(target)
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
    this.#streams.end(code)
    this.#init.onClose?.(code, reason)
  }

  /**
   * Takes a packet that was authentic and no replay. Bytes of streams are handed on by endBatch(), but at once where there
   * is no memory to keep them in.
   * A packet that breaks the protocol ends the session with CLOSE 2; nothing is thrown for what the other side does.
   */
  receive(packetNumber: number, payload: Uint8Array): void {
    if (this.#state !== 'open') return
    const now = this.#init.clock.monotonic()
    this.#now = now
    this.#lastReceived = now
    if (this.#received.isKnown(packetNumber)) return
    this.#streams.beginPacket()
    try {
      this.#reader.read(payload, this.#streams)
    } catch (error) {
      if (!(error instanceof SessionViolation)) throw error
      this.close(SessionCode.violation, error.message)
      return
    }
    // A packet whose bytes could not be kept was not received: the other side sends them again.
    if (this.#streams.isDropped) return
    this.#bytesReceived += payload.length
    this.#received.add(packetNumber, this.#streams.isEliciting, now)
  }

  /** Hands on what the packets since the last call brought, and tells streams that they may write again. */
  endBatch(): void {
    this.#streams.deliver()
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
    if (this.#isAckDue(now) || recovery.probes > 0) return true
    return recovery.hasRoom && this.#outbox.hasWork && this.#pacer.maySend(now)
  }

  #isAckDue(now: number): boolean {
    return !this.#recovery.isCrowded && this.#received.isDue(now, this.#recovery.rtt.ackDelay)
  }

  #ackDueAt(): number {
    if (this.#recovery.isCrowded) return Infinity
    return this.#received.dueAt(this.#recovery.rtt.ackDelay) ?? Infinity
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
    if (probing || (recovery.hasRoom && this.#pacer.maySend(now))) {
      if (probing && !this.#outbox.hasWork) this.#outbox.pending |= SessionControl.ping
      if (acks > 0 && this.#owesPing()) this.#outbox.pending |= SessionControl.ping
      frames = this.#outbox.write(this.#writer, payload)
    }
    const eliciting = frames > 0
    recovery.onSent(eliciting, frames + acks, now)
    if (eliciting) {
      this.#pingNumber = recovery.nextNumber
      this.#pacer.onSent(now)
      if (!this.#outbox.hasWork && recovery.hasRoom) recovery.onLimited()
    }
  }

  #owesPing(): boolean {
    return this.#received.ranges.count > 1 && this.#recovery.nextNumber - this.#pingNumber >= PING_EVERY
  }

  /** Monotonic ms at which onTimeout() is due (now or before: at once); undefined when the session is over. */
  nextTimeout(): number | undefined {
    if (this.#state !== 'open') return undefined
    if (this.#streams.hasNews) return this.#now
    let at = this.#lastReceived + IDLE_TIMEOUT_MS
    if (!this.#isExit) at = Math.min(at, this.#keepAliveAt())
    at = Math.min(at, this.#datagrams.expiresAt, this.#ackDueAt(), this.#recovery.timeoutAt() ?? Infinity)
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
    this.#datagrams.expire(now)
    this.#recovery.onTimeout(now)
    this.#paceAnew()
    this.endBatch()
  }

  #paceAnew(): void {
    this.#pacer.setRate(this.#recovery.controller.pacingRate)
  }

  #announce(): void {
    if (this.#announced) return
    this.#announced = true
    this.#init.onWritable?.()
  }
}
