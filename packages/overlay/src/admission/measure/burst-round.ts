/** Of the time that a round takes at the claimed rate, the part that is taken off for the way at most. */
const MOST_WAY = 1 / 3

/**
 * How fast some bytes cross a line: all of them are asked for after the round began and cannot be known before, so they cross
 * within it, whatever is held back on the way or by the other side. How long the way is is taken off by the quickest piece, and
 * its bytes with it (the dispersion of a train; Dovrolis, Ramanathan and Moore, 2004); but so little that who feigns a long way
 * is found a third faster than it is at most, where the claim holds.
 */
export class BurstRound {
  readonly #begin: number
  readonly #mostWay: number
  #bytes = 0
  #last: number
  /** The piece that took the least time from when it was asked for. */
  #quickest = { ms: Infinity, bytes: 0 }

  /** @param begin ms of a clock that only goes forward @param claimedMs that its bytes take at the claimed rate */
  constructor(begin: number, claimedMs: number) {
    this.#begin = begin
    this.#last = begin
    this.#mostWay = claimedMs * MOST_WAY
  }

  /** A piece came. @param asked when it was asked for, ms; not before the round began */
  add(asked: number, at: number, bytes: number): void {
    this.#bytes += bytes
    this.#last = at
    if (at - asked < this.#quickest.ms) this.#quickest = { ms: at - asked, bytes }
  }

  /** Bytes a ms. @param until when the last piece came, or until when pieces that were asked for were waited for in vain */
  rate(until = this.#last): number {
    const took = until - this.#begin
    if (took <= 0) return this.#bytes === 0 ? 0 : Infinity
    const { ms, bytes } = this.#quickest
    const [way, left] = ms <= this.#mostWay ? [ms, bytes] : [this.#mostWay, 0]
    // A way as long as all of it tells nothing.
    const along = took > way ? (this.#bytes - left) / (took - way) : 0
    return Math.max(this.#bytes / took, along)
  }
}
