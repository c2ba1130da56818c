import { GRANULARITY_MS } from './tuning.ts'

/** Packets that may leave at once after a pause (RFC 9002, section 7.7, allows the initial window). */
const MIN_BURST = 10
/** Ms of the rate that may leave at once: timers are no finer than 1 ms and often late. */
const BURST_MS = 2

/** Spreads packets over time: a token bucket, filled when somebody asks. Packets and ms. */
export class Pacer {
  #tokens = MIN_BURST
  #at = 0
  #rate = Infinity

  /** @param rate packets a ms; infinite holds nothing back */
  setRate(rate: number): void {
    this.#rate = rate
  }

  maySend(now: number): boolean {
    if (this.#tokens >= 1) return true
    this.#fill(now)
    return this.#tokens >= 1
  }

  onSent(now: number): void {
    if (this.#tokens < 1) this.#fill(now)
    this.#tokens--
  }

  /** When the next packets may leave: enough of them that it is worth a timer. */
  nextAt(now: number): number {
    if (this.#tokens >= 1) return now
    return now + Math.max(GRANULARITY_MS, (1 - this.#tokens) / this.#rate)
  }

  #fill(now: number): void {
    const isKnown = this.#rate !== Infinity
    const burst = isKnown ? Math.max(MIN_BURST, this.#rate * BURST_MS) : MIN_BURST
    this.#tokens = isKnown ? Math.min(burst, this.#tokens + (now - this.#at) * this.#rate) : burst
    this.#at = now
  }
}
