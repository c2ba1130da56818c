import { ACK_DELAY_MS, SLOW_ACK_DELAY_MS } from './protocol.ts'
import { GRANULARITY_MS, INITIAL_RTT_MS } from './tuning.ts'

/** How long a least RTT stays believed, ms: after a change of path the old one must not haunt the session for good. */
const MIN_RTT_WINDOW_MS = 60_000

/** Round-trip estimate of RFC 9002, section 5; all in ms. */
export class RttEstimator {
  #smoothed = INITIAL_RTT_MS
  #variation = INITIAL_RTT_MS / 2
  #latest = 0
  #has = false
  #min = Infinity
  #nextMin = Infinity
  #windowEnd = 0

  get smoothed(): number {
    return this.#smoothed
  }

  /** Mean deviation of samples from that. */
  get variation(): number {
    return this.#variation
  }

  get latest(): number {
    return this.#latest
  }

  /** Least RTT of the last one to two minutes; infinite before the first sample. */
  get min(): number {
    return this.#min
  }

  get hasSample(): boolean {
    return this.#has
  }

  /** @param ackDelay what the other side says it waited @returns the sample that was taken, less that delay where it may be */
  sample(rtt: number, ackDelay: number, now: number): number {
    if (now >= this.#windowEnd) {
      this.#min = this.#windowEnd === 0 ? Infinity : this.#nextMin
      this.#nextMin = Infinity
      this.#windowEnd = now + MIN_RTT_WINDOW_MS
    }
    this.#latest = rtt
    this.#min = Math.min(this.#min, rtt)
    this.#nextMin = Math.min(this.#nextMin, rtt)
    const delay = Math.min(ackDelay, SLOW_ACK_DELAY_MS)
    const adjusted = rtt >= this.#min + delay ? rtt - delay : rtt
    if (!this.#has) {
      this.#has = true
      this.#smoothed = adjusted
      this.#variation = adjusted / 2
      return adjusted
    }
    this.#variation += (Math.abs(this.#smoothed - adjusted) - this.#variation) / 4
    this.#smoothed += (adjusted - this.#smoothed) / 8
    return adjusted
  }

  /** Ms for which this side keeps back an ACK of packets that come slowly, and the other side may, whose estimate is about the same. */
  get ackDelay(): number {
    return this.#has ? Math.min(SLOW_ACK_DELAY_MS, Math.max(ACK_DELAY_MS, this.#smoothed / 2)) : ACK_DELAY_MS
  }

  /** Probe timeout without backoff (RFC 9002, section 6.2.1). */
  get probeTimeout(): number {
    return this.#smoothed + Math.max(4 * this.#variation, GRANULARITY_MS) + this.ackDelay
  }
}
