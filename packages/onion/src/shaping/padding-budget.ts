/** Padding cells that may be sent: in any time of t s, with r real cells in it, no more than `allowance` + t `perSecond` + r `ofReal`. */
export interface PaddingLimits {
  /** Cells that may go at once. */
  readonly allowance: number
  readonly perSecond: number
  /** For each real cell of the same direction. */
  readonly ofReal: number
}

/** Of `ms` with `real` cells in them, from when the budget began. */
export function mostPadding({ allowance, perSecond, ofReal }: PaddingLimits, ms: number, real: number): number {
  return Math.ceil(allowance + (ms * perSecond) / 1_000 + real * ofReal)
}

/** A token bucket that real cells fill as well as time does. Times are monotonic ms. */
export class PaddingBudget {
  readonly #limits: PaddingLimits
  #cells: number
  #at: number

  constructor(limits: PaddingLimits, now: number) {
    this.#limits = limits
    this.#cells = limits.allowance
    this.#at = now
  }

  /** A real cell went. */
  real(): void {
    const { allowance, ofReal } = this.#limits
    this.#cells = Math.min(allowance, this.#cells + ofReal)
  }

  /** Whether one more may go now; it counts as gone then. */
  take(now: number): boolean {
    const { allowance, perSecond } = this.#limits
    this.#cells = Math.min(allowance, this.#cells + (Math.max(0, now - this.#at) * perSecond) / 1_000)
    this.#at = now
    if (this.#cells < 1) return false
    this.#cells--
    return true
  }
}
