const BLOCK_BITS = 32

/**
 * Anti-replay window without bit shifting (RFC 6479): a ring of 32-bit blocks, one more than the window needs, so that the
 * block of the newest counter never overlaps the oldest. Counters are whole numbers from 0 to 2^53 - 1.
 */
export class ReplayWindow {
  readonly #size: number
  readonly #ring: Uint32Array
  /** Newest counter accepted; -1 before the first. */
  #last = -1
  /** Number of its block, and that block's place in the ring. */
  #block = 0
  #at = 0

  /** @param size counters below the newest that are told apart; a multiple of 32. @throws RangeError */
  constructor(size = 32_768) {
    if (!Number.isInteger(size) || size < BLOCK_BITS || size % BLOCK_BITS !== 0)
      throw new RangeError(`a replay window is a multiple of ${BLOCK_BITS} counters, got ${size}`)
    this.#size = size
    this.#ring = new Uint32Array(size / BLOCK_BITS + 1)
  }

  /** The newest counter accepted, -1 before the first. */
  get newest(): number {
    return this.#last
  }

  /** Whether {@link accept} would take the counter. */
  isFresh(counter: number): boolean {
    if (counter > this.#last) return true
    if (counter < 0 || this.#last - counter >= this.#size) return false
    return ((this.#ring[this.#place(counter)] as number) & (1 << (counter % BLOCK_BITS))) === 0
  }

  /** Marks the counter as seen; false when it was before, or is too old to tell. Only after the packet proved authentic. */
  accept(counter: number): boolean {
    if (counter > this.#last) this.#advance(counter)
    else if (counter < 0 || this.#last - counter >= this.#size) return false
    const place = this.#place(counter)
    const bit = 1 << (counter % BLOCK_BITS)
    const block = this.#ring[place] as number
    if ((block & bit) !== 0) return false
    this.#ring[place] = block | bit
    return true
  }

  #place(counter: number): number {
    const place = this.#at - (this.#block - Math.floor(counter / BLOCK_BITS))
    return place < 0 ? place + this.#ring.length : place
  }

  #advance(counter: number): void {
    const block = Math.floor(counter / BLOCK_BITS)
    const ring = this.#ring
    const steps = Math.min(block - this.#block, ring.length)
    for (let step = 0; step < steps; step++) {
      this.#at = this.#at + 1 === ring.length ? 0 : this.#at + 1
      ring[this.#at] = 0
    }
    this.#block = block
    this.#last = counter
  }
}
