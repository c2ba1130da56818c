/** Below this the interval says more about scheduling than about the path, ms. */
const MIN_INTERVAL_MS = 10

/** One flow control limit of a receiver (RFC 9000, section 4), whose window doubles while the reader keeps up. Bytes and ms. */
export class ReceiveWindow {
  readonly #max: number
  #size: number
  #limit: number
  #consumed = 0
  #raisedAt = -Infinity
  #wasFilled = false

  constructor(size: number, max: number) {
    this.#size = size
    this.#limit = size
    this.#max = max
  }

  /** The offset that the other side may send up to. */
  get limit(): number {
    return this.#limit
  }

  /**
   * Bytes came while others before them are missing. What waits behind a loss, for a round trip and more, fills a window that is large enough
   * otherwise, and no reader could keep up with that.
   * @param highest offset that came
   */
  onGap(highest: number): void {
    if (this.#limit - highest < this.#size / 4) this.#wasFilled = true
  }

  /**
   * The reader has passed on `bytes`. Returns true when the limit was raised and the other side must be told.
   * @param mayGrow whether memory allows a larger window
   */
  consume(bytes: number, now: number, rtt: number, mayGrow: boolean): boolean {
    this.#consumed += bytes
    if (this.#limit - this.#consumed > this.#size / 2) return false
    // Half a window within one round trip is a window within two.
    const isFast = now - this.#raisedAt <= Math.max(rtt, MIN_INTERVAL_MS)
    if (mayGrow && (isFast || this.#wasFilled)) this.#size = Math.min(this.#max, this.#size * 2)
    this.#wasFilled = false
    this.#raisedAt = now
    this.#limit = this.#consumed + this.#size
    return true
  }
}
