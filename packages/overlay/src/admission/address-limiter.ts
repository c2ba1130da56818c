import type { Clock } from '@weft/core'
import { addressGroup } from '../network/address-group.ts'

export interface AddressLimit {
  /** Uses at once. */
  readonly burst: number
  /** ms until one use is given back. */
  readonly refillMs: number
  /** Addresses remembered at most; the one unused longest goes first. */
  readonly addresses: number
}

/** A token bucket per address (per /64 for IPv6, as one host commonly has all of it). */
export class AddressLimiter {
  readonly #limit: AddressLimit
  readonly #clock: Clock
  /** In order of last use. */
  readonly #buckets = new Map<string, { tokens: number; at: number }>()

  constructor(limit: AddressLimit, clock: Clock) {
    this.#limit = limit
    this.#clock = clock
  }

  /** Takes one use; false when there is none left now. */
  take(address: string): boolean {
    const key = addressGroup(address)
    const now = this.#clock.monotonic()
    const bucket = this.#buckets.get(key) ?? { tokens: this.#limit.burst, at: now }
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#limit.addresses) {
      const oldest = this.#buckets.keys().next().value
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    bucket.tokens = Math.min(this.#limit.burst, bucket.tokens + (now - bucket.at) / this.#limit.refillMs)
    bucket.at = now
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }
}
