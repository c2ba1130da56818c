import { type AckFrame } from './ack-frame.ts'
import { type CongestionController } from './congestion-controller.ts'
import { DeliveryRate } from './delivery-rate.ts'
import { type SessionMemory } from './memory-budget.ts'
import { RttEstimator } from './rtt-estimator.ts'
import { PacketState, SentPackets } from './sent-packets.ts'
import { SessionViolation } from './session-violation.ts'
import {
  GRANULARITY_MS,
  MAX_PACKET_THRESHOLD,
  MAX_TIME_THRESHOLD,
  MAX_UNASKED_PACKETS,
  PACKET_THRESHOLD,
  TIME_THRESHOLD,
  TIME_THRESHOLD_STEP,
} from './tuning.ts'

/** Is told about the frames of a packet that was acknowledged, or whose content must be sent again. */
export interface FrameLedger {
  onFrameAcked(kind: number, stream: number, offset: number, length: number): void
  onFrameLost(kind: number, stream: number, offset: number, length: number): void
}

/** Probes that one probe timeout sends (RFC 9002, section 6.2.4). */
const PROBES = 2
/** Records that are kept for lost packets, which may come late, while nothing is in flight: nobody knows when the next ACK lets them go. */
const IDLE_RECORDS = 16
/** Probe timeouts double up to this many times. */
const MAX_BACKOFF = 6
/** Probe timeouts after which an outage is persistent congestion (RFC 9002, section 7.6.1). */
const PERSISTENT = 3
/**
 * Loss detection and probe timeouts (RFC 9002, section 6) over one packet number space, and what the congestion controller is
 * told. ACKs cost time in proportion to what they newly acknowledge; detection passes each packet once.
 */
export class Recovery {
  readonly sent: SentPackets
  readonly rtt = new RttEstimator()
  readonly #rate: DeliveryRate
  readonly controller: CongestionController
  readonly #ledger: FrameLedger
  readonly #first: number
  readonly #gap: () => number
  /** Packets until a number is left out. */
  #untilSkip: number
  /** Packets in flight: all that ask for an ACK. */
  inFlight = 0
  lost = 0
  spurious = 0
  /** Packets that may be sent beyond the window after a probe timeout. */
  probes = 0
  #packetThreshold = PACKET_THRESHOLD
  #timeThreshold = TIME_THRESHOLD
  #largestAcked = -1
  /** All packets below are not in flight. */
  #scan = 0
  #lossAt: number | undefined
  #lastElicitingAt = 0
  #backoff = 0
  /** Sequence at which the current congestion event ends. */
  #episodeEnd = 0
  #episode = 0
  #episodeLost = 0

  /**
   * @param first packet number of the first packet
   * @param gap drawn anew each time: packets after which a number is left out, which nobody can have received
   * @param memory of the session, for records
   */
  constructor(
    first: number,
    gap: () => number,
    controller: CongestionController,
    ledger: FrameLedger,
    memory: SessionMemory,
  ) {
    this.sent = new SentPackets(memory)
    this.#rate = new DeliveryRate(this.sent)
    this.#first = first
    this.#gap = gap
    this.#untilSkip = gap()
    this.controller = controller
    this.#ledger = ledger
  }

  get packetThreshold(): number {
    return this.#packetThreshold
  }

  get nextNumber(): number {
    return this.#first + this.sent.next
  }

  /** True when the window, and the memory for records, have room for one more packet with content. */
  get hasRoom(): boolean {
    return this.inFlight + 1 <= this.controller.window && !this.sent.isFull
  }

  /** True while so much is kept behind a packet that is not acknowledged that none may be sent that asks for no ACK. */
  get isCrowded(): boolean {
    return this.sent.next - this.sent.base >= this.#crowdedFrom || this.sent.isFull
  }

  get #crowdedFrom(): number {
    return MAX_UNASKED_PACKETS + 2 * this.inFlight
  }

  onSent(eliciting: boolean, frames: number, now: number): void {
    this.sent.commit(eliciting, frames, now)
    if (eliciting) {
      this.#rate.onSent(this.inFlight, now)
      this.controller.onSent(this.inFlight, this.#rate.isLimited, now)
      this.inFlight++
      this.#lastElicitingAt = now
      if (this.probes > 0) this.probes--
    }
    if (--this.#untilSkip <= 0 && !this.sent.isFull) {
      this.sent.skip(now)
      this.#untilSkip = this.#gap()
    }
    if (!eliciting) this.#release(now)
  }

  /** There is nothing more to send for now, though the window would have room. */
  onLimited(): void {
    this.#rate.onLimited(this.inFlight)
  }

  /** @throws SessionViolation when a packet is acknowledged that was never sent */
  onAck(ack: AckFrame, now: number): void {
    const { sent } = this
    const largest = ack.largest - this.#first
    if (largest >= sent.next || ack.smallest < this.#first)
      throw new SessionViolation('a packet is acknowledged that was never sent')
    for (let i = 0; i < ack.count; i++)
      if (sent.skipped.count(ack.low(i) - this.#first, ack.high(i) - this.#first) > 0)
        throw new SessionViolation('a packet number is acknowledged that was left out')
    const inFlightBefore = this.inFlight
    const sampled = largest >= sent.base && this.#isInFlight(largest)
    let newly = 0
    for (let i = 0; i < ack.count; i++) {
      const high = ack.high(i) - this.#first
      if (high < sent.base) break
      newly += this.#ackRange(Math.max(ack.low(i) - this.#first, sent.base), high, now)
    }
    if (newly === 0) return
    this.#largestAcked = Math.max(this.#largestAcked, largest)
    this.#backoff = 0
    this.probes = 0
    let rtt = Number.NaN
    if (sampled) rtt = this.rtt.sample(now - sent.time(largest), ack.delayUs / 1000, now)
    this.#detect(now)
    // A window that is nearly used up counts: ACKs come some packets at a time.
    const isWindowLimited = 1.25 * inFlightBefore + 1 >= this.controller.window
    const { inFlight } = this
    this.controller.onAck(this.#rate.take(now, this.rtt.min, { rtt, inFlight, isWindowLimited }), now)
    this.#release(now)
  }

  /** Marks what in [low, high] is not yet acknowledged; returns how many of these were in flight. */
  #ackRange(low: number, high: number, now: number): number {
    const { sent } = this
    let newly = 0
    let at = high
    while (at >= low) {
      if (sent.state(at) === PacketState.acked) {
        const start = Math.min(at, sent.runStart(at))
        // All of it is one run now; said at each place passed, so that no ACK that ends here passes them one by one again.
        sent.setRunStart(at, Math.min(start, low))
        at = start - 1
        continue
      }
      const end = at
      while (at >= low && sent.state(at) !== PacketState.acked) at--
      for (let s = at + 1; s <= end; s++) newly += this.#ackOne(s, low, now)
    }
    sent.setRunStart(high, low)
    return newly
  }

  /** @param runStart start of the run of acknowledged packets that it is part of once the whole range is */
  #ackOne(sequence: number, runStart: number, now: number): number {
    const { sent } = this
    const state = sent.state(sequence)
    sent.setState(sequence, PacketState.acked)
    sent.setRunStart(sequence, runStart)
    if (state === PacketState.untracked) return 0
    const count = sent.frameCount(sequence)
    for (let i = 0; i < count; i++)
      this.#ledger.onFrameAcked(
        sent.frameKind(sequence, i),
        sent.frameStream(sequence, i),
        sent.frameOffset(sequence, i),
        sent.frameLength(sequence, i),
      )
    if (state === PacketState.lost) {
      this.#onSpurious(sequence)
      return 0
    }
    this.inFlight--
    this.#rate.onAcked(sequence, now)
    return 1
  }

  /** A packet that counted as lost has come: tolerate as much reordering from now on (RFC 9002, section 6.1.1). */
  #onSpurious(sequence: number): void {
    this.spurious++
    const distance = this.#distance(sequence)
    if (distance >= this.#packetThreshold)
      this.#packetThreshold = Math.min(MAX_PACKET_THRESHOLD, Math.max(distance + 1, this.#packetThreshold + 1))
    else this.#timeThreshold = Math.min(MAX_TIME_THRESHOLD, this.#timeThreshold + TIME_THRESHOLD_STEP)
    this.#rate.lost--
    if (this.sent.episode(sequence) !== this.#episode || --this.#episodeLost > 0) return
    this.controller.onSpuriousCongestion()
  }

  /** Packets sent after this one, up to the largest that is acknowledged: numbers left out are none. */
  #distance(sequence: number): number {
    return this.#largestAcked - sequence - this.sent.skipped.count(sequence, this.#largestAcked)
  }

  #detect(now: number): void {
    const { sent } = this
    this.#lossAt = undefined
    const delay = Math.max(this.#timeThreshold * Math.max(this.rtt.smoothed, this.rtt.latest), GRANULARITY_MS)
    let at = Math.max(this.#scan, sent.base)
    let lostNow = 0
    let newest = -1
    let runSince = -1
    let longest = 0
    for (; at <= this.#largestAcked; at++) {
      const state = sent.state(at)
      if (state === PacketState.acked) runSince = -1
      if (!this.#isInFlight(at)) continue
      const time = sent.time(at)
      if (this.#distance(at) < this.#packetThreshold && time + delay > now) {
        this.#lossAt = time + delay
        break
      }
      if (runSince < 0) runSince = time
      longest = Math.max(longest, time - runSince)
      this.#lose(at, now)
      newest = at
      lostNow++
    }
    this.#scan = at
    if (lostNow > 0) this.#onLosses(lostNow, newest, longest)
  }

  #lose(sequence: number, now: number): void {
    const { sent } = this
    const isMoved = sent.state(sequence) === PacketState.moved
    sent.setState(sequence, PacketState.lost)
    this.inFlight--
    this.lost++
    this.#rate.onLost()
    const { lost, inFlight, isLimited } = sent.delivery(sequence)
    this.controller.onLost(inFlight, this.#rate.lost - lost, isLimited, this.#rate.delivered, now)
    if (!isMoved) this.#requeue(sequence)
  }

  #isInFlight(sequence: number): boolean {
    const state = this.sent.state(sequence)
    return state === PacketState.flying || state === PacketState.moved
  }

  #requeue(sequence: number): void {
    const { sent } = this
    const count = sent.frameCount(sequence)
    for (let i = 0; i < count; i++)
      this.#ledger.onFrameLost(
        sent.frameKind(sequence, i),
        sent.frameStream(sequence, i),
        sent.frameOffset(sequence, i),
        sent.frameLength(sequence, i),
      )
  }

  #onLosses(count: number, newest: number, longest: number): void {
    // All packets that were in flight when the event began are of it (RFC 9002, section 7.3.2).
    if (newest >= this.#episodeEnd) {
      this.#episode++
      this.#episodeEnd = this.sent.next
      this.#episodeLost = 0
    }
    this.#episodeLost += count
    for (let s = newest, left = count; left > 0; s--)
      if (this.sent.state(s) === PacketState.lost) {
        this.sent.setEpisode(s, this.#episode)
        left--
      }
    this.controller.onLossEvent()
    if (this.rtt.hasSample && longest > PERSISTENT * this.rtt.probeTimeout) this.controller.onPersistentCongestion()
  }

  #release(now: number): void {
    const most = this.inFlight === 0 ? IDLE_RECORDS : this.#crowdedFrom
    this.sent.advance(now - PERSISTENT * this.rtt.probeTimeout, most)
  }

  /** Monotonic ms at which the oldest packet in flight was sent; undefined when none is. */
  get oldestSentAt(): number | undefined {
    const at = this.#oldest()
    return at < 0 ? undefined : this.sent.time(at)
  }

  /** Sequence of the oldest packet in flight, -1 without one. */
  #oldest(): number {
    if (this.inFlight === 0) return -1
    const { sent } = this
    let at = Math.max(this.#scan, sent.base)
    while (!this.#isInFlight(at)) at++
    this.#scan = at
    return at
  }

  /**
   * What is in flight is to go another way: its content is given back. The packets keep their room in the window until an ACK tells that they
   * came or were lost, so that nobody is sent a window anew for each time that he was silent.
   */
  giveUp(): void {
    const { sent } = this
    const oldest = this.#oldest()
    for (let at = oldest; at >= 0 && at < sent.next; at++) {
      if (sent.state(at) !== PacketState.flying) continue
      sent.setState(at, PacketState.moved)
      this.#requeue(at)
    }
    this.probes = 0
  }

  /** The way is over, and what was in flight was given back: no record is kept, and no ACK counts any more. */
  release(): void {
    this.sent.release()
    this.inFlight = 0
    this.probes = 0
    this.#lossAt = undefined
  }

  /** Monotonic ms of the loss timer or the probe timeout; undefined when nothing is in flight. */
  timeoutAt(): number | undefined {
    if (this.#lossAt !== undefined) return this.#lossAt
    if (this.inFlight === 0) return undefined
    return this.#lastElicitingAt + this.rtt.probeTimeout * 2 ** this.#backoff
  }

  /** Call when timeoutAt() has come. */
  onTimeout(now: number): void {
    const due = this.timeoutAt()
    if (due === undefined || now < due) return
    if (this.#lossAt !== undefined) {
      this.#detect(now)
      this.#release(now)
      return
    }
    this.#backoff = Math.min(this.#backoff + 1, MAX_BACKOFF)
    this.probes = PROBES
    // The oldest packets' content goes into the probes; the packets themselves stay in flight until an ACK tells.
    let left = PROBES
    for (let s = Math.max(this.#scan, this.sent.base); s < this.sent.next && left > 0; s++)
      if (this.sent.state(s) === PacketState.flying) {
        this.#requeue(s)
        left--
      }
    // Another probe timeout counts from here even when nothing can be sent.
    this.#lastElicitingAt = now
  }
}
