import type { Clock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { MAX_RATED_CALLERS } from './limits.ts'
import { type Rate, TokenBucket } from './token-bucket.ts'

/** One token bucket per caller, for a bounded number of callers: the one unseen for longest is forgotten first. */
export class RateLimiter {
  readonly #clock: Clock
  readonly #rateOf: (caller: DidKey) => Rate
  readonly #maxCallers: number
  readonly #buckets = new Map<DidKey, TokenBucket>()

  constructor(clock: Clock, rateOf: (caller: DidKey) => Rate, maxCallers = MAX_RATED_CALLERS) {
    this.#clock = clock
    this.#rateOf = rateOf
    this.#maxCallers = maxCallers
  }

  get callers(): number {
    return this.#buckets.size
  }

  take(caller: DidKey, cost: number): boolean {
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
