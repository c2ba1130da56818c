import { type Random, equalBytes } from '@weft/core'
import { type AckFrame } from './ack-frame.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameWriter } from './frame-writer.ts'
import { MemoryBudget, SessionMemory } from './memory-budget.ts'
import { Outbox, SessionControl } from './outbox.ts'
import { IpPacketPool } from './ip-packet-pool.ts'
import { IDLE_TIMEOUT_MS, LegStatus, MAX_LEGS, SESSION_NAME_BYTES, SessionCode } from './protocol.ts'
import { type FrameLedger } from './recovery.ts'
import { SentKind } from './sent-packets.ts'
import { type LegUse, SessionLeg } from './session-leg.ts'
import { SessionLegs } from './session-legs.ts'
import { type SessionStream } from './session-stream.ts'
import { SessionDatagrams } from './session-datagrams.ts'
import { SessionStreams } from './session-streams.ts'
import { SessionViolation } from './session-violation.ts'
import { type StreamTarget } from './stream-target.ts'
import { CLIENT_IP_PACKETS, DEFAULT_MEMORY, ORPHAN_MS } from './tuning.ts'

export interface SessionInit {
  readonly role: 'client' | 'exit'
  /** Monotonic ms. */
  readonly clock: { monotonic(): number }
  readonly random: Random
  /** Bytes of a packet's payload: 1379 - 25 d at an exit of depth d (docs/specs/packets.md, Sizes); the same on all legs. */
  readonly payloadLength: number
  /** Shared by the sessions of an exit; a session without one has 256 MiB of its own. */
  readonly memory?: MemoryBudget
  /** Room for IP packets that wait, shared by the sessions of an exit; a session without one has its own. */
  readonly packets?: IpPacketPool
  /** Exit: a client opens a stream. Set its handler within the call; accept() or refuse() it then or later. */
  onStream?(stream: SessionStream): void
  /** Exit: the client named its session, so that other circuits may join it. `name` is a view of the packet. */
  onName?(name: Uint8Array): void
  /** Client: the exit knows the session's name. */
  onNamed?(): void
  /** Exit: the client says that a leg is gone, or it acknowledges nothing of what went over it; the leg is not the session's any more. */
  onLegGone?(leg: SessionLeg): void
  /** Nothing came back over a leg for too long; what was in flight goes over another one. */
  onSilent?(leg: SessionLeg): void
  /** Something came back over such a leg. */
  onHeard?(leg: SessionLeg): void
  /** A stream or close() gave the session something to send; not called again until next() was undefined. */
  onWritable?(): void
  /** The session is over, by either side; called once. After a close() of this side one packet may still want to be sent. */
  onClose?(code: number, reason: string): void
}

export interface SessionStats {
  /** Smoothed; undefined before the first sample. */
  readonly rttMs: number | undefined
  readonly minRttMs: number | undefined
  /** Bytes, of whole packets, over all legs that are used. */
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

/**
 * A session (docs/specs/session.md): streams and datagrams over packets that may be lost, doubled and reordered, which go over one leg or several. Does
 * no input or output and sets no timer. Its owner calls, in this order and whenever something happened:
 * - receive() for each packet, and endBatch() after the last of those that came together;
 * - onTimeout() when nextTimeout() has come;
 * - then, while there is a next() leg, fill() with a payload to be sealed and sent over it.
 */
export class Session {
  readonly #init: SessionInit
  readonly #isExit: boolean
  readonly #memory: SessionMemory
  readonly #reader = new FrameReader()
  readonly #writer = new FrameWriter()
  readonly #legs = new SessionLegs()
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
  /** The leg that the packet came over which is being read. */
  #reading: SessionLeg | undefined
  #nextLeg = 0
  /** Monotonic ms: since when it has no leg. */
  #orphanedAt: number | undefined
  #name: Uint8Array<ArrayBuffer> | undefined
  #isNamed = false
  /** Exit: sequence of the newest that the client said of a leg. */
  readonly #legNews = new Map<number, number>()
  #bytesSent = 0
  #bytesReceived = 0
  #packetsSent = 0
  readonly payloadLength: number
  /** The one that it began with. */
  readonly first: SessionLeg

  constructor(init: SessionInit) {
    this.#init = init
    this.#isExit = init.role === 'exit'
    this.payloadLength = init.payloadLength
    this.#memory = new SessionMemory(init.memory ?? new MemoryBudget(DEFAULT_MEMORY))
    this.#datagrams = new SessionDatagrams(
      {
        isExit: this.#isExit,
        clock: init.clock,
        memory: this.#memory,
        payloadLength: init.payloadLength,
        packets: init.packets ?? new IpPacketPool(CLIENT_IP_PACKETS),
      },
      () => this.#announce(),
    )
    this.#outbox = new Outbox(this.#datagrams)
    this.#streams = new SessionStreams({
      isExit: this.#isExit,
      clock: init.clock,
      payloadLength: init.payloadLength,
      memory: this.#memory,
      legs: this.#legs,
      outbox: this.#outbox,
      datagrams: this.#datagrams,
      announce: () => this.#announce(),
      onStream: (stream) => init.onStream?.(stream),
      onAck: (ack) => this.#onAck(ack),
      onName: (name) => this.#onName(name),
      onJoin: (leg, name) => this.#onJoin(leg, name),
      onLeg: (leg, sequence, status) => this.#onLeg(leg, sequence, status),
      onCloseFrame: (code, reason) => {
        // A packet may have two, or its bytes may have made an owner close the session.
        if (this.#state === 'open') this.#end('closed', code, reason)
      },
    })
    this.#now = init.clock.monotonic()
    this.#lastReceived = this.#now
    this.first = this.#begin('used', false)
  }

  #begin(use: LegUse, owesJoin: boolean, id = this.#nextLeg++): SessionLeg {
    const { random, clock } = this.#init
    const now = clock.monotonic()
    // Frames are told of only once packets were sent.
    const ledger: FrameLedger = {
      onFrameAcked: (kind, of, offset, length) => this.#onFrameAcked(leg, kind, of, offset, length),
      onFrameLost: (kind, of, offset, length) => this.#onFrameLost(kind, of, offset, length),
    }
    const init = { random, isExit: this.#isExit, use, owesJoin, now, memory: this.#memory }
    const leg: SessionLeg = new SessionLeg(id, init, ledger)
    this.#legs.add(leg)
    this.#orphanedAt = undefined
    return leg
  }

  /** Sorts what became of frames: those of the session are settled here, the others are the streams'. */
  #onFrameAcked(leg: SessionLeg, kind: number, of: number, offset: number, length: number): void {
    if (kind === SentKind.ack) leg.received.forgetBelow(of)
    else if (kind === SentKind.join) {
      leg.owesJoin = false
      // It may have joined as something else than it is by now.
      if (offset !== statusOf(leg.use)) this.#outbox.tellOfLeg(leg.id, statusOf(leg.use))
    } else if (kind === SentKind.legStatus) this.#outbox.onLegTold(of, offset)
    else if (kind !== SentKind.sessionControl) {
      if (kind !== SentKind.ping) this.#streams.onFrameAcked(kind, of, offset, length)
    } else if (offset === SessionControl.name && !this.#isNamed) {
      this.#isNamed = true
      this.#init.onNamed?.()
    }
  }

  #onFrameLost(kind: number, of: number, offset: number, length: number): void {
    // What is not said again as it was: each ACK is new, and a leg pings and joins by itself.
    if (kind === SentKind.ack || kind === SentKind.ping || kind === SentKind.join) return
    if (kind === SentKind.legStatus) this.#outbox.onLegLost(of, offset)
    else if (kind !== SentKind.sessionControl) this.#streams.onFrameLost(kind, of, offset, length)
    else if (offset !== SessionControl.name || !this.#isNamed) this.#outbox.pending |= offset
  }

  get state(): 'open' | 'closing' | 'closed' {
    return this.#state
  }

  get streams(): number {
    return this.#streams.size
  }

  get stats(): SessionStats {
    const { inFlight, lost, spurious, window, best } = this.#legs
    const rtt = best?.recovery.rtt
    return {
      rttMs: rtt?.hasSample === true ? rtt.smoothed : undefined,
      minRttMs: rtt?.hasSample === true ? rtt.min : undefined,
      cwnd: Math.floor(window) * this.payloadLength,
      inFlight: inFlight * this.payloadLength,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      packetsSent: this.#packetsSent,
      packetsLost: lost,
      packetsSpurious: spurious,
      dataReceived: this.#streams.receivedData + this.#datagrams.dataReceived,
      dataSent: this.#outbox.dataSent + this.#datagrams.dataSent,
      memory: this.#memory.held + this.#memory.records,
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
    for (const { recovery } of this.#legs.all) recovery.release()
    // First, so that whoever is told of a stream's end finds why it is.
    this.#init.onClose?.(code, reason)
    this.#streams.end(code)
  }

  get legs(): readonly SessionLeg[] {
    return this.#legs.all
  }

  /** Client: the exit knows its name, so that other legs may be added. Exit: it has one. */
  get isNamed(): boolean {
    return this.#isNamed
  }

  /** Client: tells the exit by what name other circuits will join; onNamed() says when it knows. */
  name(): void {
    if (this.#name !== undefined || this.#state !== 'open') return
    this.#name = new Uint8Array(this.#init.random.bytes(SESSION_NAME_BYTES))
    this.#outbox.name = this.#name
    this.#outbox.pending |= SessionControl.name
    this.#announce()
  }

  /** Client: a circuit to the same exit becomes a leg; undefined when the session is over, not named, or has too many. */
  addLeg(use: LegUse): SessionLeg | undefined {
    if (this.#state !== 'open' || !this.#isNamed || this.#legs.size >= MAX_LEGS) return undefined
    const leg = this.#begin(use, true)
    leg.isPingOwed = true
    this.#announce()
    return leg
  }

  /** Exit: a circuit joins by what {@link readJoin} read; undefined when it may not: too many, or an id that was there. */
  join(id: number, use: LegUse): SessionLeg | undefined {
    if (this.#state !== 'open' || this.#legs.size >= MAX_LEGS || id < this.#nextLeg) return undefined
    this.#nextLeg = id + 1
    const leg = this.#begin(use, false, id)
    // Its answer says how long the way is.
    leg.isPingOwed = true
    this.#announce()
    return leg
  }

  /** Client: what its packets are from now on. */
  use(leg: SessionLeg, use: LegUse): void {
    if (leg.use === use || this.#state !== 'open') return
    leg.use = use
    if (!leg.owesJoin) this.#outbox.tellOfLeg(leg.id, statusOf(use))
    this.#announce()
  }

  /** Its circuit is gone: what was in flight goes over others. With none left the session waits some time for one. */
  removeLeg(leg: SessionLeg): void {
    if (this.#state !== 'open' || !this.#legs.all.includes(leg)) return
    const now = this.#init.clock.monotonic()
    leg.recovery.giveUp()
    leg.recovery.release()
    this.#legs.remove(leg)
    this.#legNews.delete(leg.id)
    if (this.#legs.size === 0) this.#orphanedAt = now
    else if (!this.#isExit) this.#outbox.tellOfLeg(leg.id, LegStatus.gone)
    this.#announce()
  }

  /** Nothing is heard over it, as far as its owner sees: what is in flight goes over others, where there are any. */
  silence(leg: SessionLeg): void {
    if (leg.isSilent || this.#state !== 'open') return
    leg.isSilent = true
    this.#onSilent(leg)
  }

  #onSilent(leg: SessionLeg): void {
    if (this.#legs.hasOtherThan(leg)) leg.recovery.giveUp()
    // The answer says that it is well again.
    leg.isPingOwed = true
    this.#init.onSilent?.(leg)
    this.#announce()
  }

  #onAck(ack: AckFrame): void {
    const leg = this.#reading
    if (leg === undefined) return
    const wasSilent = leg.isSilent
    leg.onAck(ack, this.#now)
    if (wasSilent) this.#init.onHeard?.(leg)
  }

  #onName(name: Uint8Array): void {
    if (this.#name === undefined) {
      this.#name = new Uint8Array(name)
      this.#isNamed = true
      this.#init.onName?.(name)
    } else if (!equalBytes(this.#name, name)) throw new SessionViolation('a session is named twice')
  }

  #onJoin(leg: number, name: Uint8Array): void {
    const reading = this.#reading
    if (reading?.id !== leg || leg === 0 || this.#name === undefined || !equalBytes(this.#name, name))
      throw new SessionViolation('a circuit joins that is part of a session')
  }

  #onLeg(id: number, sequence: number, status: number): void {
    const leg = this.#legs.find(id)
    if (leg === undefined || sequence <= (this.#legNews.get(id) ?? -1)) return
    this.#legNews.set(id, sequence)
    if (status !== LegStatus.gone) {
      leg.use = useOf(status)
      return
    }
    this.#endLeg(leg)
  }

  #endLeg(leg: SessionLeg): void {
    this.removeLeg(leg)
    this.#init.onLegGone?.(leg)
  }

  /**
   * Takes a packet that was authentic and no replay. Bytes of streams are handed on by endBatch(), but at once where there
   * is no memory to keep them in.
   * A packet that breaks the protocol ends the session with CLOSE 2; nothing is thrown for what the other side does.
   */
  receive(packetNumber: number, payload: Uint8Array, leg: SessionLeg = this.first): void {
    if (this.#state !== 'open') return
    const now = this.#init.clock.monotonic()
    this.#now = now
    this.#lastReceived = now
    leg.lastReceived = now
    if (leg.received.isKnown(packetNumber)) return
    this.#reading = leg
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
    leg.received.add(packetNumber, this.#streams.isEliciting, now)
    leg.onHeard(now)
  }

  /** Hands on what the packets since the last call brought, and tells streams that they may write again. */
  endBatch(): void {
    this.#streams.deliver()
  }

  /** The leg that the next packet is to go over; undefined while there is nothing to say, or windows, pace and circuits do not let it. */
  next(): SessionLeg | undefined {
    const leg = this.#next()
    if (leg === undefined) this.#announced = false
    return leg
  }

  #next(): SessionLeg | undefined {
    if (this.#state !== 'open') {
      const { best } = this.#legs
      return this.#closeOwed && best?.isFree === true ? best : undefined
    }
    const now = this.#init.clock.monotonic()
    return this.#legs.withOwn(now) ?? this.#forContent(now)
  }

  #forContent(now: number): SessionLeg | undefined {
    if (this.#outbox.hasWork) return this.#legs.forData(now)
    if (!this.#datagrams.hasWork) return undefined
    const leg = this.#legs.forDatagrams(now)
    return leg?.mayCarry(now) === true ? leg : undefined
  }

  /** Writes the next packet of `leg` over the whole of `payload`; returns its packet number. Call only when it is the next(). */
  fill(payload: Uint8Array, leg: SessionLeg = this.first): number {
    const writer = this.#writer
    const now = this.#init.clock.monotonic()
    const number = leg.recovery.nextNumber
    writer.reset(payload)
    if (this.#state === 'open') this.#writeFrames(leg, payload, now)
    else {
      this.#closeOwed = false
      writer.close(this.#closeCode, this.#closeReason)
      leg.recovery.onSent(false, 0, now)
    }
    writer.finish()
    this.#packetsSent++
    this.#bytesSent += payload.length
    return number
  }

  #writeFrames(leg: SessionLeg, payload: Uint8Array, now: number): void {
    const { recovery, received } = leg
    const { sent } = recovery
    const writer = this.#writer
    let asking = 0
    if (leg.owesJoin && this.#name !== undefined && writer.join(leg.id, statusOf(leg.use), this.#name)) {
      sent.addFrame(SentKind.join, leg.id, statusOf(leg.use), 0)
      asking = 1
    }
    let acks = 0
    if (received.pending && writer.ack(received.ranges, received.delayUs(now))) {
      sent.addFrame(SentKind.ack, received.largest, 0, 0)
      received.acknowledged()
      acks = 1
    }
    const probing = recovery.probes > 0
    const carries = recovery.hasRoom && leg.pacer.maySend(now)
    // What a silent leg, or one in reserve, took with it would wait there for as long as that one is silent.
    const probesContent = probing && !sent.isFull && this.#hasWork && this.#legs.isFit(leg)
    const takesContent = probesContent || (carries && this.#isTurn(leg, now))
    if (leg.isPingOwed || (probing && !probesContent) || (acks > 0 && carries && leg.owesPingWithAck)) {
      writer.ping()
      sent.addFrame(SentKind.ping, 0, 0, 0)
      leg.isPingOwed = false
      asking++
    }
    if (takesContent) {
      const withDatagrams = this.#datagrams.hasWork && this.#legs.forDatagrams(now) === leg
      if (withDatagrams) this.#legs.onDatagrams(now)
      asking = this.#outbox.write(writer, payload, sent, asking + acks, withDatagrams) - acks
    }
    recovery.onSent(asking > 0, asking + acks, now)
    if (asking === 0) return
    leg.onAsked(now)
    if (!this.#hasWork && recovery.hasRoom) recovery.onLimited()
  }

  /** Whether it may carry what waits: streams overflow from the shortest leg onto others, datagrams do not. */
  #isTurn(leg: SessionLeg, now: number): boolean {
    if (this.#legs.size === 1 || this.#legs.forData(now) === leg) return true
    return this.#datagrams.hasWork && this.#legs.forDatagrams(now) === leg
  }

  get #hasWork(): boolean {
    return this.#outbox.hasWork || this.#datagrams.hasWork
  }

  /** Monotonic ms at which onTimeout() is due (now or before: at once); undefined when the session is over. */
  nextTimeout(): number | undefined {
    if (this.#state !== 'open') return undefined
    if (this.#streams.hasNews) return this.#now
    let at = Math.min(this.#lastReceived + IDLE_TIMEOUT_MS, this.#orphanEnd, this.#datagrams.expiresAt)
    for (const leg of this.#legs.all)
      at = Math.min(at, leg.timeoutAt(!this.#isExit, this.#legs.size > 1 && this.#legs.hasOtherThan(leg)))
    if (this.#hasWork) at = Math.min(at, this.#legs.paceAt(this.#init.clock.monotonic(), !this.#outbox.hasWork))
    return at
  }

  get #orphanEnd(): number {
    return this.#orphanedAt === undefined ? Infinity : this.#orphanedAt + ORPHAN_MS
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
    if (now >= this.#orphanEnd) {
      this.#end('closed', SessionCode.timedOut, 'it had no leg for 15 s')
      return
    }
    this.#datagrams.expire(now)
    for (const leg of this.#legs.all) {
      leg.onTimeout(now, !this.#isExit)
      if (this.#legs.hasOtherThan(leg) && leg.fallsSilent(now)) this.#onSilent(leg)
    }
    for (const leg of this.#legs.all.filter((each) => each.isGivenUp(now))) this.#endLeg(leg)
    this.endBatch()
  }

  #announce(): void {
    if (this.#announced) return
    this.#announced = true
    this.#init.onWritable?.()
  }
}

function statusOf(use: LegUse): number {
  return use === 'used' ? LegStatus.used : LegStatus.reserve
}

function useOf(status: number): LegUse {
  return status === LegStatus.used ? 'used' : 'reserve'
}
