import type { Clock } from '@weft/core'
import type { CountSample } from '@weft/onion'

/** ms that hops have to answer in all, and after which they are asked once more: question or answer may be lost. */
const ANSWER_MS = 3_000
const AGAIN_MS = 1_000

/** Asks all hops of a leg for their counters, and waits for their answers. */
export class HopQuestion {
  /** Which of them answered: settled once all have, or after 3 s. */
  readonly answered: Promise<readonly boolean[]>
  readonly #hops: boolean[]
  readonly #clock: Clock
  readonly #askedMs: number
  readonly #ask: () => void
  readonly #settle: (answered: readonly boolean[]) => void
  #cancel: (() => void) | undefined

  constructor(hops: number, clock: Clock, ask: () => void) {
    const { promise, resolve } = Promise.withResolvers<readonly boolean[]>()
    this.answered = promise
    this.#settle = resolve
    this.#hops = Array.from({ length: hops }, () => false)
    this.#clock = clock
    this.#askedMs = clock.monotonic()
    this.#ask = ask
    this.#next()
  }

  /** A hop answered; the answers to questions before count for nothing here. */
  onCounted(hop: number, { askedMs }: CountSample): void {
    if (askedMs >= this.#askedMs) this.#hops[hop] = true
    if (this.#hops.every(Boolean)) this.end()
  }

  /** Waits no longer. */
  end(): void {
    this.#cancel?.()
    this.#settle([...this.#hops])
  }

  #next(): void {
    const leftMs = this.#askedMs + ANSWER_MS - this.#clock.monotonic()
    if (leftMs <= 0) return this.end()
    this.#ask()
    this.#cancel = this.#clock.after(Math.min(AGAIN_MS, leftMs), () => this.#next())
  }
}
