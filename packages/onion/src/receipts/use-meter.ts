/** One payment is due for so many cells (4 MiB of bodies) or so long a use, whichever comes first; ms. */
export const CELLS_A_PAYMENT = 2_988
export const PAYMENT_MS = 60_000
/** Fewer cells in that time are no use: signs of life of a circuit that stands ready cost nothing. */
export const CELLS_IN_USE = 64

/**
 * Counts what a circuit carries into payments that are due for it (docs/specs/receipts.md, What is due). Either end counts by itself. A span begins with the first cell behind the last
 * one, and ends with the cell that fills it, or with the first one that comes when its time is over. Times are monotonic ms.
 */
export class UseMeter {
  readonly #cellsInUse: number
  #due = 0
  #cells = 0
  #since = 0
  #wasInUse = false

  /** @param cellsInUse what makes a span that time ended one to pay for */
  constructor(cellsInUse = CELLS_IN_USE) {
    this.#cellsInUse = cellsInUse
  }

  /** Payments since the beginning. */
  get due(): number {
    return this.#due
  }

  /** Cells of the span at hand. */
  get cells(): number {
    return this.#cells
  }

  /** For the span at hand a payment will be due whenever it ends. */
  get isInUse(): boolean {
    return this.#cells >= this.#cellsInUse
  }

  /** For the span before one was. */
  get wasInUse(): boolean {
    return this.#wasInUse
  }

  /** A cell of somebody's data was carried. @returns whether a payment became due by it */
  add(now: number): boolean {
    const before = this.#due
    if (this.#cells > 0 && now - this.#since >= PAYMENT_MS) {
      this.#wasInUse = this.#cells >= this.#cellsInUse
      if (this.#wasInUse) this.#due++
      this.#cells = 0
    }
    if (this.#cells === 0) this.#since = now
    if (++this.#cells === CELLS_A_PAYMENT) {
      this.#due++
      this.#cells = 0
      this.#wasInUse = true
    }
    return this.#due > before
  }
}
