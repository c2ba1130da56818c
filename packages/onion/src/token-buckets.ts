import { TokenBucket } from './token-bucket.ts'

/** Names remembered. */
const CAPACITY = 4_096

/** A {@link TokenBucket} for each name, such as an address prefix. Bounded: where more names than it holds are in use, new ones wait. */
export class TokenBuckets {
  readonly #perSecond: number
  readonly #burst: number
  readonly #capacity: number
  /** After so long without use, ms, a bucket is full again, and as good as none. */
  readonly #fullAfterMs: number
  /** The one used longest ago first. */
  readonly #buckets = new Map<string, { readonly bucket: TokenBucket; usedAt: number }>()

  constructor(perSecond: number, burst: number, capacity = CAPACITY) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#capacity = capacity
    this.#fullAfterMs = (burst / perSecond) * 1_000
  }

  /** Names remembered now. */
  get size(): number {
    return this.#buckets.size
  }

  /** @param now monotonic ms */
  take(name: string, now: number): boolean {
    let entry = this.#buckets.get(name)
    if (entry === undefined) {
      if (!this.#makeRoom(now)) return false
      entry = { bucket: new TokenBucket(this.#perSecond, this.#burst, now), usedAt: now }
    } else this.#buckets.delete(name)
    entry.usedAt = now
    this.#buckets.set(name, entry)
    return entry.bucket.take(now)
  }

  #makeRoom(now: number): boolean {
    if (this.#buckets.size < this.#capacity) return true
    const [oldest] = this.#buckets
    if (oldest === undefined || now - oldest[1].usedAt < this.#fullAfterMs) return false
    return this.#buckets.delete(oldest[0])
  }
}
