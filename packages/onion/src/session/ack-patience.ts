import { ACK_PATIENCE_MS, ACK_PATIENCE_TIMEOUTS, ASK_AGAIN_MS, OLDEST_IN_FLIGHT_MS } from './tuning.ts'

/**
 * How long an exit waits for a client that is there, and does not acknowledge what it was sent: records of that are kept for as long (as by the user
 * timeout of RFC 9293, section 3.8.3). The time runs from the first packet that came after it was asked again. So no outage ends a leg: what comes
 * behind one has a time of its own.
 */
export class AckPatience {
  /** Monotonic ms: since when a probe asks for what is in flight, and since when the client was heard and did not answer. */
  #askedAt = Infinity
  #heardAt = Infinity
  #askAt = Infinity

  /** A probe timeout passed. */
  onAsked(now: number): void {
    if (this.#askedAt === Infinity) this.#askedAt = now
  }

  /** A packet came, and what it acknowledges was told. */
  onHeard(now: number): void {
    if (this.#askedAt === Infinity || this.#heardAt !== Infinity) return
    this.#heardAt = now
    this.#askAt = now
  }

  /** Monotonic ms at which to ask again, more often than probe timeouts do by then; infinite while it has not been heard. */
  get askAt(): number {
    return this.#askAt
  }

  /** True when it is time to ask. */
  takeAsk(now: number): boolean {
    if (now < this.#askAt) return false
    this.#askAt = now + ASK_AGAIN_MS
    return true
  }

  /** An ACK came. Only one by which nothing is in flight any more of what was asked for is an answer. @param oldest monotonic ms at which the oldest packet in flight was sent */
  onAck(oldest: number | undefined): void {
    if (oldest !== undefined && oldest < this.#askedAt) return
    this.#askedAt = Infinity
    this.#heardAt = Infinity
    this.#askAt = Infinity
  }

  /**
   * Monotonic ms at which the leg is given up; infinite without anything in flight. However ACKs come, nothing is in flight for longer than an outage
   * lasts that a session outlives: one that is behind shows what was lost.
   * @param oldest as for onAck() @param probeTimeout ms
   */
  endsAt(oldest: number | undefined, probeTimeout: number): number {
    if (oldest === undefined) return Infinity
    const patience = Math.max(ACK_PATIENCE_MS, ACK_PATIENCE_TIMEOUTS * probeTimeout)
    return Math.min(this.#heardAt + patience, oldest + OLDEST_IN_FLIGHT_MS)
  }
}
