import type { Clock } from '@weft/core'

/** ms between attempts when one failed; doubled up to the last. */
const FIRST_MS = 250
const MOST_MS = 8_000

/** Attempts that follow each other ever more rarely. */
export class Retries {
  readonly #clock: Clock
  readonly #attempt: () => void
  #ms = FIRST_MS
  #cancel: (() => void) | undefined
  #closed = false

  constructor(clock: Clock, attempt: () => void) {
    this.#clock = clock
    this.#attempt = attempt
  }

  /** What failed before counts no more. */
  reset(): void {
    this.#ms = FIRST_MS
  }

  /** Tries at once when nothing failed before, else later. */
  soon(): void {
    if (this.#ms !== FIRST_MS) return this.later()
    this.#ms *= 2
    this.#attempt()
  }

  /** Tries when the time has come, once for all that asked for it until then. */
  later(): void {
    if (this.#cancel !== undefined || this.#closed) return
    this.#cancel = this.#clock.after(this.#ms, () => {
      this.#cancel = undefined
      this.#attempt()
    })
    this.#ms = Math.min(MOST_MS, 2 * this.#ms)
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
  }
}
