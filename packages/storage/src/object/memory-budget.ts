/** A share of the budget; what was released stays released. */
export interface MemoryLease {
  /** Gives back some bytes, or all that are left. */
  release(bytes?: number): void
}

/**
 * Counts the bytes of segments in flight over all transfers. A transfer may always take its one current segment, so
 * that none can starve or deadlock another; whatever it takes ahead has to fit.
 */
export class MemoryBudget {
  readonly #capacity: number
  #used = 0

  /** @param capacity bytes. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get used(): number {
    return this.#used
  }

  /** Takes bytes whether they fit or not: for the segment that a transfer cannot go on without. */
  take(bytes: number): MemoryLease {
    this.#used += bytes
    let left = bytes
    return {
      release: (part = left) => {
        const given = Math.min(part, left)
        left -= given
        this.#used -= given
      },
    }
  }

  /** Takes bytes if they fit: for read-ahead and overlap. */
  tryTake(bytes: number): MemoryLease | undefined {
    return this.#used + bytes <= this.#capacity ? this.take(bytes) : undefined
  }
}
