import { type Clock, WeftError } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'

/** ms that a source has for all its answers, and for each that it has sent. */
const ALLOWED_MS = 10_000
const ALLOWED_PER_ANSWER_MS = 2_000

/** How long one node may take to tell of a map: who sends more answers has more time for them. */
export class SourceDeadline {
  readonly #clock: Clock
  readonly #source: DidKey
  #deadline: number
  #answers = 0

  constructor(clock: Clock, source: DidKey) {
    this.#clock = clock
    this.#source = source
    this.#deadline = clock.monotonic() + ALLOWED_MS
  }

  /** Notes an answer. */
  extend(): void {
    this.#answers++
    this.#deadline += ALLOWED_PER_ANSWER_MS
  }

  /** @throws WeftError E_MAP_SLOW when the time is over */
  check(): void {
    if (this.#clock.monotonic() <= this.#deadline) return
    throw new WeftError({
      code: 'E_MAP_SLOW',
      cause: `${shortId(this.#source)} has sent ${this.#answers} answers about a map and takes too long for them.`,
      fix: 'Nothing to do: another node is asked.',
      retryable: true,
    })
  }
}
