import type { Clock } from '@weft/core'
import { MAX_RATED_CALLERS } from './limits.ts'
import { type Rate, TokenBucket } from './token-bucket.ts'

/** One token bucket per caller (an id or an address), for a bounded number of them: the one unseen for longest is forgotten first. */
export class RateLimiter {
  readonly #clock: Clock
  readonly #rateOf: (caller: string) => Rate
  readonly #maxCallers: number
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(clock: Clock, rateOf: (caller: string) => Rate, maxCallers = MAX_RATED_CALLERS) {
    this.#clock = clock
    this.#rateOf = rateOf
    this.#maxCallers = maxCallers
  }

  get callers(): number {
    return this.#buckets.size
  }

  /** When this caller last took anything, ms of the monotonic clock; undefined when it is not remembered. */
  lastUse(caller: string): number | undefined {
    return this.#buckets.get(caller)?.usedAt
  }

  take(caller: string, cost: number): boolean {
    const rate = this.#rateOf(caller)
    const now = this.#clock.monotonic()
    let bucket = this.#buckets.get(caller)
    if (bucket?.rate !== rate) bucket = new TokenBucket(rate, now)
    // Re-inserted so that the map's order is the order of the last use.
    this.#buckets.delete(caller)
    this.#buckets.set(caller, bucket)
    if (this.#buckets.size > this.#maxCallers) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    return bucket.take(cost, now)
  }
}
