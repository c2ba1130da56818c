import { MIN_CAPACITY, WRITE_CHUNK } from './tuning.ts'

/** Part of what is free that one session may hold. So n stalled sessions hold n/(n + 4) of the limit, never all of it. */
const SHARE = 1 / 4
/** One stream is allowed for so many bytes of the limit: what it takes on the heap, beside its buffers. */
const BYTES_PER_STREAM = 6_144
/** Part of the free streams that one session may have more; below that of bytes, since every session has streams. */
const STREAM_SHARE = 1 / 8

/** Told once that there is memory again; false when it makes no use of that: the next one is told then. */
export interface MemoryWaiter {
  onMemory(): boolean
}

/** The bound that all sessions of an exit share for bytes that are not acknowledged or not in order yet. */
export class MemoryBudget {
  readonly limit: number
  #used = 0
  #streams = 0
  readonly #waiters = new Set<MemoryWaiter>()

  /** @param limit bytes */
  constructor(limit: number) {
    this.limit = limit
  }

  get used(): number {
    return this.#used
  }

  /** Bytes that one session may hold at the moment (dynamic thresholds, Choudhury and Hahne 1998). */
  get share(): number {
    return (this.limit - this.#used) * SHARE
  }

  /** True when more than half is taken: nothing is kept then that can be made again. */
  get isTight(): boolean {
    return this.#used > this.limit / 2
  }

  /** Takes `bytes` if they are free. */
  take(bytes: number): boolean {
    if (bytes > this.limit - this.#used) return false
    this.#used += bytes
    return true
  }

  give(bytes: number): void {
    this.#used -= bytes
    if (this.#waiters.size === 0 || this.share < WRITE_CHUNK) return
    let left = this.#waiters.size
    // As many as could write a piece each: who is told may have nothing to write after all.
    let pieces = Math.floor(this.share / WRITE_CHUNK)
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter)
      if (waiter.onMemory()) pieces--
      // Those that go on waiting come behind all others.
      if (--left === 0 || pieces <= 0) return
    }
  }

  /** Streams that all sessions have. */
  get streams(): number {
    return this.#streams
  }

  /** Counts a stream of a session that has `held` already; false when it is beyond the session's share of what is free. */
  takeStream(held: number): boolean {
    const free = this.limit / BYTES_PER_STREAM - this.#streams
    if (free < 1 || held >= Math.max(1, free * STREAM_SHARE)) return false
    this.#streams++
    return true
  }

  giveStreams(count: number): void {
    this.#streams -= count
  }

  /** `waiter` is told when the share is worth a write again. */
  wait(waiter: MemoryWaiter): void {
    this.#waiters.add(waiter)
  }

  forget(waiter: MemoryWaiter): void {
    this.#waiters.delete(waiter)
  }
}

/** What one session has taken from the budget. */
export class SessionMemory {
  readonly budget: MemoryBudget
  #held = 0

  constructor(budget: MemoryBudget) {
    this.budget = budget
  }

  get held(): number {
    return this.#held
  }

  /** True when the session may buffer another piece from an owner. */
  get hasShare(): boolean {
    return this.#held + WRITE_CHUNK <= this.budget.share
  }

  /** How many it may buffer. */
  get pieces(): number {
    return Math.max(0, Math.floor((this.budget.share - this.#held) / WRITE_CHUNK))
  }

  /**
   * How far a ring of `capacity` bytes may grow by doubling so that the session still has its share afterwards: one that grew beyond it could
   * only wait until all was acknowledged, give its memory back, and begin anew.
   */
  reach(capacity: number): number {
    const free = this.budget.limit - this.budget.used
    let reach = Math.max(capacity, MIN_CAPACITY)
    for (;;) {
      const more = 2 * reach - capacity
      if (more >= free || this.#held + more + WRITE_CHUNK > (free - more) * SHARE) return reach
      reach *= 2
    }
  }

  take(bytes: number): boolean {
    if (!this.budget.take(bytes)) return false
    this.#held += bytes
    return true
  }

  /**
   * Takes `bytes` for what came and cannot be handed on yet: no more than the session's share, and none of the half that is
   * left for sending. The other side sends again what is not kept; what was to be sent to it would be lost.
   */
  takeToReceive(bytes: number): boolean {
    return !this.budget.isTight && this.#held + bytes <= this.budget.share && this.take(bytes)
  }

  give(bytes: number): void {
    if (bytes === 0) return
    this.#held -= bytes
    this.budget.give(bytes)
  }
}
