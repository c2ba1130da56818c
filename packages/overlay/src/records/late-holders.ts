import type { Clock } from '@weft/core'
import type { DidKey } from '@weft/crypto'

/** How long a holder that kept a reader waiting is asked behind the others, ms: then it gets another chance. */
const ASIDE = 60_000
/** Holders that are remembered; the ones that were late longest ago go first. */
const MAX_HOLDERS = 1_024

/** The holders that failed or were silent lately, so that one that is gone costs one read a pause and not all of them. */
export class LateHolders {
  readonly #clock: Clock
  /** When each was late last, ms of the monotonic clock; in order of it. */
  readonly #late = new Map<DidKey, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note(holder: DidKey): void {
    this.#late.delete(holder)
    this.#late.set(holder, this.#clock.monotonic())
    const [first] = this.#late.keys()
    if (this.#late.size > MAX_HOLDERS && first !== undefined) this.#late.delete(first)
  }

  has(holder: DidKey): boolean {
    const at = this.#late.get(holder)
    if (at === undefined) return false
    if (this.#clock.monotonic() - at < ASIDE) return true
    this.#late.delete(holder)
    return false
  }
}
