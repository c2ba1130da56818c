import type { Clock } from '@weft/core'

/** A longer question takes its time to be sent, however near the target is. */
const LONGEST_QUESTION = 16_384

/** Times one question and its answer over a stream: from its last bytes until the first of the answer. Looks at no byte. */
export class AnswerWatch {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #onAnswer: (ms: number) => void
  /** Monotonic ms: of the last bytes. */
  #askedAt = 0
  #asked = 0
  #isOver = false

  /** @param onAnswer called once at most; not where the target spoke first */
  constructor(clock: Pick<Clock, 'monotonic'>, onAnswer: (ms: number) => void) {
    this.#clock = clock
    this.#onAnswer = onAnswer
  }

  /** Bytes were handed to the session. */
  sent(bytes: number): void {
    if (this.#isOver) return
    this.#asked += bytes
    this.#askedAt = this.#clock.monotonic()
  }

  /** Bytes came from the session. */
  came(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#asked > 0 && this.#asked <= LONGEST_QUESTION) this.#onAnswer(this.#clock.monotonic() - this.#askedAt)
  }
}
