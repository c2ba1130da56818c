import type { Clock } from '@weft/core'

/** Calls back when work is under way and nothing of it has come to an end for a while. */
export class StallWatch implements Disposable {
  readonly #clock: Clock
  readonly #ms: number
  readonly #onStall: () => void
  #running = 0
  #cancel = (): void => {}

  constructor(clock: Clock, ms: number, onStall: () => void) {
    this.#clock = clock
    this.#ms = ms
    this.#onStall = onStall
  }

  /** Watches a piece of work; passes on what it gives. */
  async watch<T>(work: Promise<T>): Promise<T> {
    this.#running++
    if (this.#running === 1) this.#arm()
    try {
      return await work
    } finally {
      this.#running--
      this.#arm()
    }
  }

  [Symbol.dispose](): void {
    this.#cancel()
  }

  #arm(): void {
    this.#cancel()
    if (this.#running > 0) this.#cancel = this.#clock.after(this.#ms, this.#onStall)
  }
}
