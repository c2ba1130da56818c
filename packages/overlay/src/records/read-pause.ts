/** Bounds of the pause, ms: below, a busy machine is taken for a silent one; above, people notice. */
const LEAST = 20
const MOST = 500
/** Before anything was measured, ms. */
const FIRST = 50

/**
 * How long a read waits for those it asked before it asks the others: the smoothed duration of reads and four times
 * its mean deviation, with the gains of RFC 6298, section 2. It so follows the distance of the holders and the load.
 */
export class ReadPause {
  #smoothed: number | undefined
  #deviation = 0

  /** ms. */
  get ms(): number {
    if (this.#smoothed === undefined) return FIRST
    return Math.min(MOST, Math.max(LEAST, this.#smoothed + 4 * this.#deviation))
  }

  /** Notes how long a read took, ms. */
  note(duration: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = duration
      this.#deviation = duration / 2
      return
    }
    this.#deviation += (Math.abs(duration - this.#smoothed) - this.#deviation) / 4
    this.#smoothed += (duration - this.#smoothed) / 8
  }
}
