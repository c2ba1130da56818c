import { TokenBucket } from '../token-bucket.ts'

/** Prefixes remembered, of senders that proved to receive there. */
const CAPACITY = 4_096
/** After so long without a handshake, ms, a bucket is full again, and as good as none. */
const FULL_AFTER_MS = 1_000

/** So many handshakes a second of each address prefix. Bounded: where more prefixes send within a second, new ones wait. */
export class PrefixRates {
  readonly #perSecond: number
  readonly #capacity: number
  /** The one used longest ago first. */
  readonly #buckets = new Map<string, { readonly bucket: TokenBucket; usedAt: number }>()

  constructor(perSecond: number, capacity = CAPACITY) {
    this.#perSecond = perSecond
    this.#capacity = capacity
  }

  /** Prefixes remembered now. */
  get size(): number {
    return this.#buckets.size
  }

  take(prefix: string, now: number): boolean {
    let entry = this.#buckets.get(prefix)
    if (entry === undefined) {
      if (!this.#makeRoom(now)) return false
      entry = { bucket: new TokenBucket(this.#perSecond, this.#perSecond, now), usedAt: now }
    } else this.#buckets.delete(prefix)
    entry.usedAt = now
    this.#buckets.set(prefix, entry)
    return entry.bucket.take(now)
  }

  #makeRoom(now: number): boolean {
    if (this.#buckets.size < this.#capacity) return true
    const [oldest] = this.#buckets
    if (oldest === undefined || now - oldest[1].usedAt < FULL_AFTER_MS) return false
    return this.#buckets.delete(oldest[0])
  }
}
