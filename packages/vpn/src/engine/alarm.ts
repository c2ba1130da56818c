import type { Clock } from '@weft/core'

/**
 * One timer of a machine that tells when it wants to be woken. Machines move that moment with every packet, so the timer
 * that runs is left alone when it comes too early: it then looks again.
 */
export class Alarm {
  readonly #clock: Clock
  readonly #onDue: () => void
  #cancel: (() => void) | undefined
  /** Monotonic ms: when the timer that runs fires. */
  #armedFor = Number.POSITIVE_INFINITY
  #due = Number.POSITIVE_INFINITY

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock
    this.#onDue = onDue
  }

  /** @param due monotonic ms; undefined for never. */
  set(due: number | undefined): void {
    this.#due = due ?? Number.POSITIVE_INFINITY
    if (this.#due < this.#armedFor) this.#arm()
  }

  clear(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#armedFor = Number.POSITIVE_INFINITY
    this.#due = Number.POSITIVE_INFINITY
  }

  #arm(): void {
    this.#cancel?.()
    this.#armedFor = this.#due
    // Timers have whole ms, rounded up: waking too early would only mean to wait again.
    const ms = Math.max(1, Math.ceil(this.#due - this.#clock.monotonic()))
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = undefined
      this.#armedFor = Number.POSITIVE_INFINITY
      if (this.#due <= this.#clock.monotonic()) {
        this.#due = Number.POSITIVE_INFINITY
        this.#onDue()
      } else if (this.#due !== Number.POSITIVE_INFINITY) this.#arm()
    })
  }
}
