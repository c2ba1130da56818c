import { GRANULARITY_MS } from './tuning.ts'

/** Packets that may leave at once after a pause (RFC 9002, section 7.7, allows the initial window). */
const MIN_BURST = 16
/** Ms of the rate that may leave at once: timers are no finer than 1 ms and often late. */
const BURST_MS = 2
/** Faster than window / RTT, so that pacing itself never bounds the rate. */
const GAIN = 1.25
const SLOW_START_GAIN = 2

/** Spreads a window over its round trip: a token bucket, filled when somebody asks. Packets and ms. */
export class Pacer {
  #tokens = MIN_BURST
  #at = 0
  #rate = Infinity

  /** @param rtt smoothed, ms; without a sample nothing is held back */
  setRate(window: number, rtt: number, slowStart: boolean): void {
    this.#rate = ((slowStart ? SLOW_START_GAIN : GAIN) * window) / Math.max(rtt, 0.05)
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
    const burst = Math.max(MIN_BURST, this.#rate * BURST_MS)
    this.#tokens = this.#rate === Infinity ? burst : Math.min(burst, this.#tokens + (now - this.#at) * this.#rate)
    this.#at = now
  }
}
