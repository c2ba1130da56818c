import { PaddingBudget, type PaddingLimits } from './padding-budget.ts'

/** Times the limits that are taken: cells lose their distances on the way, and real ones may be lost. */
const SLACK = 2

/** Whether a hop sends no more padding than its machine may: what is above that may be a mark for somebody on the way. */
export class PaddingCheck {
  readonly #budget: PaddingBudget

  constructor({ allowance, perSecond, ofReal }: PaddingLimits, now: number) {
    const limits = { allowance: SLACK * allowance, perSecond: SLACK * perSecond, ofReal: SLACK * ofReal }
    this.#budget = new PaddingBudget(limits, now)
  }

  /** A cell came that was not this hop's padding. */
  other(): void {
    this.#budget.real()
  }

  /** A padding cell came; false when that is one too many. */
  padding(now: number): boolean {
    return this.#budget.take(now)
  }
}
