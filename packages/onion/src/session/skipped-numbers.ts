/** Skipped numbers that are remembered: at one in 500 they reach further back than records of sent packets do. */
const KEPT = 128

/**
 * The newest sequences that no packet got (RFC 9000, section 21.4): whoever acknowledges one acknowledges what it did not receive.
 */
export class SkippedNumbers {
  readonly #ring = new Float64Array(KEPT)
  #total = 0

  /** @param sequence above all before */
  add(sequence: number): void {
    this.#ring[this.#total++ % KEPT] = sequence
  }

  /** How many lie in [low, high]. */
  count(low: number, high: number): number {
    let at = this.#firstFrom(low)
    const from = at
    while (at < this.#total && (this.#ring[at % KEPT] ?? 0) <= high) at++
    return at - from
  }

  /** Place of the first that is at least `low`. */
  #firstFrom(low: number): number {
    let from = Math.max(0, this.#total - KEPT)
    let to = this.#total
    while (from < to) {
      const middle = Math.floor((from + to) / 2)
      if ((this.#ring[middle % KEPT] ?? 0) >= low) to = middle
      else from = middle + 1
    }
    return from
  }
}
