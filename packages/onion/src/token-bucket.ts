/** Lets something happen so many times a second, and a burst of it after a pause. Times are monotonic ms. */
export class TokenBucket {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #at: number

  constructor(perSecond: number, burst: number, now: number) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#tokens = burst
    this.#at = now
  }

  /** Takes a token; false when there is none beyond `reserve`, which is left for others. */
  take(now: number, reserve = 0): boolean {
    if (!this.has(now, reserve)) return false
    this.#tokens--
    return true
  }

  /** Whether take() would give one. */
  has(now: number, reserve = 0): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs)
    this.#at = now
    return this.#tokens >= 1 + reserve
  }
}
