import { type Random, randomInt } from '@weft/core'
import { type AckFrame } from './ack-frame.ts'
import { AckPatience } from './ack-patience.ts'
import { Bbr } from './bbr.ts'
import { type SessionMemory } from './memory-budget.ts'
import { Pacer } from './pacer.ts'
import { ReceivedPackets } from './received-packets.ts'
import { type FrameLedger, Recovery } from './recovery.ts'
import { KEEP_ALIVE_MS, MIN_NUMBER_GAP, MIN_SILENCE_MS, SILENT_PROBE_TIMEOUTS } from './tuning.ts'

/** used: packets go over it; reserve: only while none that is used is fit. */
export type LegUse = 'used' | 'reserve'

interface SessionLegInit {
  readonly random: Random
  readonly isExit: boolean
  readonly use: LegUse
  readonly owesJoin: boolean
  /** Monotonic ms. */
  readonly now: number
  /** Of the session. */
  readonly memory: SessionMemory
}

/** A side that only receives has its ACKs acknowledged now and then, so that it may forget old ranges (RFC 9000, section 13.2.4). */
const PING_EVERY = 64

/** One of the circuits that a session runs over: its packet numbers, what of them came, and what the path allows. */
export class SessionLeg {
  readonly id: number
  readonly recovery: Recovery
  readonly received = new ReceivedPackets()
  readonly pacer = new Pacer()
  use: LegUse
  /** Its circuit takes nothing just now; kept by the owner. */
  isHeld = false
  /** What was sent over it is not acknowledged in the time that it should be. Only where there are others. */
  isSilent = false
  isPingOwed = false
  /** Client: the exit has not said yet that it knows whose leg this is. */
  owesJoin: boolean
  /** Monotonic ms. */
  lastReceived: number
  #lastPing: number
  #pingNumber: number
  #heardAt: number
  /** Of an exit. */
  readonly #patience: AckPatience | undefined

  constructor(id: number, { random, isExit, use, owesJoin, now, memory }: SessionLegInit, ledger: FrameLedger) {
    this.id = id
    this.use = use
    this.owesJoin = owesJoin
    const first = randomInt(random, 2 ** 31)
    const gap = (): number => MIN_NUMBER_GAP + randomInt(random, MIN_NUMBER_GAP + 1)
    this.recovery = new Recovery(first, gap, new Bbr(() => randomInt(random, 2 ** 30) / 2 ** 30), ledger, memory)
    if (isExit) this.#patience = new AckPatience()
    this.lastReceived = now
    this.#lastPing = now
    this.#heardAt = now
    this.#pingNumber = first
  }

  /** Has room for a packet with content, by its window and pace. */
  mayCarry(now: number): boolean {
    return this.isFree && this.recovery.hasRoom && this.pacer.maySend(now)
  }

  /** Takes packets at all. */
  get isFree(): boolean {
    return !this.isHeld && !this.recovery.sent.isSpent
  }

  /** It has something of its own to say: an ACK that is due, a probe, a ping. */
  hasOwn(now: number): boolean {
    return this.isFree && (this.isPingOwed || this.recovery.probes > 0 || this.#isAckDue(now))
  }

  #isAckDue(now: number): boolean {
    return !this.recovery.isCrowded && this.received.isDue(now, this.recovery.rtt.ackDelay)
  }

  #ackDueAt(): number {
    if (this.recovery.isCrowded) return Infinity
    return this.received.dueAt(this.recovery.rtt.ackDelay) ?? Infinity
  }

  /** @throws SessionViolation when a packet is acknowledged that was never sent */
  onAck(ack: AckFrame, now: number): void {
    this.recovery.onAck(ack, now)
    this.#heardAt = now
    this.isSilent = false
    this.#patience?.onAck(this.recovery.oldestSentAt)
    this.pace()
  }

  /** A packet came and was read. */
  onHeard(now: number): void {
    this.#patience?.onHeard(now)
  }

  /** Monotonic ms at which its pace lets a packet with content go; infinite where its window does not. */
  paceAt(now: number): number {
    return this.isFree && this.recovery.hasRoom ? this.pacer.nextAt(now) : Infinity
  }

  pace(): void {
    this.pacer.setRate(this.recovery.controller.pacingRate)
  }

  /** An ACK went without anything that asks for one, so often that the next is to ask. */
  get owesPingWithAck(): boolean {
    return this.received.ranges.count > 1 && this.recovery.nextNumber - this.#pingNumber >= PING_EVERY
  }

  /** A packet that asks for an ACK was sent. */
  onAsked(now: number): void {
    this.#pingNumber = this.recovery.nextNumber
    this.pacer.onSent(now)
  }

  /** Monotonic ms at which something of its own falls due; never while its circuit takes nothing. @param isClient keeps the circuit alive @param hasOthers whom it may be compared with */
  timeoutAt(isClient: boolean, hasOthers: boolean): number {
    if (this.isHeld) return Infinity
    let at = Math.min(this.#ackDueAt(), this.recovery.timeoutAt() ?? Infinity)
    if (isClient) at = Math.min(at, this.#keepAliveAt())
    if (hasOthers && !this.isSilent) at = Math.min(at, this.#silentAt())
    return Math.min(at, this.#patience?.askAt ?? Infinity, this.#givenUpAt)
  }

  get #givenUpAt(): number {
    return this.#patience?.endsAt(this.recovery.oldestSentAt, this.recovery.rtt.probeTimeout) ?? Infinity
  }

  /** Exit: what was sent over it stays unacknowledged, and is not to be kept any longer. */
  isGivenUp(now: number): boolean {
    return !this.isHeld && now >= this.#givenUpAt
  }

  #keepAliveAt(): number {
    return Math.max(this.lastReceived, this.#lastPing) + KEEP_ALIVE_MS
  }

  /** When the oldest packet in flight has waited for longer than it may; infinite while nothing is in flight. */
  #silentAt(): number {
    const since = this.recovery.oldestSentAt
    if (since === undefined) return Infinity
    const patience = Math.max(MIN_SILENCE_MS, SILENT_PROBE_TIMEOUTS * this.recovery.rtt.probeTimeout)
    return Math.max(since, this.#heardAt) + patience
  }

  /** Does what has fallen due. */
  onTimeout(now: number, isClient: boolean): void {
    if (isClient && now >= this.#keepAliveAt()) {
      this.#lastPing = now
      this.isPingOwed = true
    }
    this.recovery.onTimeout(now)
    if (this.recovery.probes > 0) this.#patience?.onAsked(now)
    if (this.#patience?.takeAsk(now) === true) this.isPingOwed = true
    this.pace()
  }

  /** It has just become silent. */
  fallsSilent(now: number): boolean {
    if (this.isSilent || now < this.#silentAt()) return false
    this.isSilent = true
    return true
  }
}
