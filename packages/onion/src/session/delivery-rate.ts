import type { SentPackets } from './sent-packets.ts'

/** What one ACK tells of the path. Counts are packets, times ms, the rate packets a ms. */
export interface RateSample {
  /** At which packets came through between the sending of the newest one acknowledged and now; 0 where that is not known. */
  readonly rate: number
  /** Came through in that time; and before it, of all ever sent. */
  readonly delivered: number
  readonly priorDelivered: number
  /** Came through ever. */
  readonly totalDelivered: number
  /** The sender had too little to send for the rate to be more than a lower bound. */
  readonly isLimited: boolean
  /** In flight when the newest one was sent, itself counted; and lost since. */
  readonly flightAtSend: number
  readonly lost: number
  /** Acknowledged, and found lost, by this ACK. */
  readonly newlyAcked: number
  readonly newlyLost: number
  /** Of the newest packet; NaN without a sample. */
  readonly rtt: number
  /** In flight now. */
  readonly inFlight: number
  /** Whether the window, and not the application, bounded what was in flight. */
  readonly isWindowLimited: boolean
}

/**
 * Samples of the delivery rate, one for each ACK (draft-ietf-ccwg-bbr-04, section 4.1): packets that came through, by the longer of
 * the time in which they were sent and that in which they were acknowledged.
 */
export class DeliveryRate {
  delivered = 0
  lost = 0
  readonly #sent: SentPackets
  #deliveredAt = 0
  #firstSentAt = 0
  /** Until so many have come through, the sender had too little to send; 0 while it has enough. */
  #limitedUntil = 0
  /** The newest packet that the current ACK acknowledges, and when it was sent. */
  #newest = -1
  #newlyAcked = 0
  #newlyLost = 0
  #sendElapsed = 0

  constructor(sent: SentPackets) {
    this.#sent = sent
  }

  /** The packet that was committed last leaves. @param inFlight packets before it */
  onSent(inFlight: number, now: number): void {
    if (inFlight === 0) {
      this.#firstSentAt = now
      this.#deliveredAt = now
    }
    const { delivered, lost, isLimited } = this
    this.#sent.setDelivery(delivered, lost, this.#deliveredAt, this.#firstSentAt, inFlight + 1, isLimited)
  }

  /** The sender has nothing more to send, though it might. */
  onLimited(inFlight: number): void {
    this.#limitedUntil = Math.max(1, this.delivered + inFlight)
  }

  get isLimited(): boolean {
    return this.#limitedUntil > 0
  }

  onAcked(sequence: number, now: number): void {
    this.delivered++
    this.#deliveredAt = now
    this.#newlyAcked++
    if (sequence <= this.#newest) return
    this.#newest = sequence
    const sentAt = this.#sent.time(sequence)
    this.#sendElapsed = sentAt - this.#sent.firstSentAt(sequence)
    this.#firstSentAt = Math.max(this.#firstSentAt, sentAt)
  }

  onLost(): void {
    this.lost++
    this.#newlyLost++
  }

  /** What came of an ACK, all of it said; the next begins anew. @param minRtt ms: no interval can be shorter */
  take(
    now: number,
    minRtt: number,
    { rtt, inFlight, isWindowLimited }: Pick<RateSample, 'rtt' | 'inFlight' | 'isWindowLimited'>,
  ): RateSample {
    if (this.#limitedUntil > 0 && this.delivered > this.#limitedUntil) this.#limitedUntil = 0
    const [newest, newlyAcked, newlyLost] = [this.#newest, this.#newlyAcked, this.#newlyLost]
    this.#newest = -1
    this.#newlyAcked = 0
    this.#newlyLost = 0
    const common = { totalDelivered: this.delivered, newlyAcked, newlyLost, rtt, inFlight, isWindowLimited }
    if (newest < 0) {
      return { ...common, rate: 0, delivered: 0, priorDelivered: 0, isLimited: false, flightAtSend: 0, lost: 0 }
    }
    const prior = this.#sent.delivery(newest)
    const interval = Math.max(this.#sendElapsed, now - prior.deliveredAt)
    const delivered = this.delivered - prior.delivered
    return {
      ...common,
      rate: interval > 0 && interval >= minRtt ? delivered / interval : 0,
      delivered,
      priorDelivered: prior.delivered,
      isLimited: prior.isLimited,
      flightAtSend: prior.inFlight,
      lost: this.lost - prior.lost,
    }
  }
}
