export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** The token bucket: `burst` at once, `perSecond` in the long run. Time is handed in, ms of a monotonic clock. */
export class TokenBucket {
  readonly rate: Rate
  #tokens: number
  #at: number

  constructor(rate: Rate, now: number) {
    this.rate = rate
    this.#tokens = rate.burst
    this.#at = now
  }

  /** When it was last asked, ms of the clock that is handed in. */
  get usedAt(): number {
    return this.#at
  }

  /** Takes `cost` tokens if they are there. */
  take(cost: number, now: number): boolean {
    this.#tokens = Math.min(this.rate.burst, this.#tokens + ((now - this.#at) / 1_000) * this.rate.perSecond)
    this.#at = now
    if (this.#tokens < cost) return false
    this.#tokens -= cost
    return true
  }
}
