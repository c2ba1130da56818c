import type { Clock } from '@weft/core'

/** ms between one clearing up and the next at least, and what that takes of time at most: who comes and goes all the time costs no more. */
const PAUSE_MS = 50
const PART = 0.1

interface Departure {
  readonly number: number
  readonly done: () => void
}

/** Clears up after clients that left: after all that wait for it at once, as the system's whole table is looked through each time. */
export class Departures {
  readonly #clock: Clock
  readonly #clear: (numbers: ReadonlySet<number>) => Promise<void>
  #waiting: Departure[] = []
  #isBusy = false
  #endPause: (() => void) | undefined
  #last: Promise<void> = Promise.resolve()
  #isClosed = false

  /** @param clear never rejects */
  constructor(clock: Clock, clear: (numbers: ReadonlySet<number>) => Promise<void>) {
    this.#clock = clock
    this.#clear = clear
  }

  /** When it was cleared up after this client, or nobody will. */
  add(number: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.#waiting.push({ number, done: () => resolve(undefined) })
    if (!this.#isBusy) this.#last = this.#run()
    return promise
  }

  /** When nothing is under way any more; what is not begun is left out. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#endPause?.()
    await this.#last
    for (const { done } of this.#waiting.splice(0)) done()
  }

  async #run(): Promise<void> {
    this.#isBusy = true
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const now = this.#waiting
      this.#waiting = []
      const began = this.#clock.monotonic()
      await this.#clear(new Set(now.map(({ number }) => number)))
      for (const { done } of now) done()
      await this.#pause(Math.max(PAUSE_MS, (this.#clock.monotonic() - began) / PART))
    }
    this.#isBusy = false
  }

  #pause(ms: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const cancel = this.#clock.after(ms, () => this.#endPause?.())
    this.#endPause = () => {
      this.#endPause = undefined
      cancel()
      resolve(undefined)
    }
    return promise
  }
}
