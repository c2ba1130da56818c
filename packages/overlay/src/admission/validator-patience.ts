import { type Clock, wait } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { isChallengeOf } from './challenge-nonce.ts'

/** ms of a turn to measure after which a validator that then gives no vote is asked after all others. */
const LONG_TURN_MS = 5_000
/** ms for a validator to put its challenge. */
const SILENT_MS = 3_000

/**
 * How long an applicant waits for one validator before it asks another as well, and which it asks last: those that were silent, or
 * measured for long, and gave no vote.
 */
export class ValidatorPatience {
  readonly #clock: Clock
  /** Validators that put their challenge since the application that is under way began. */
  readonly #challengers = new Set<DidKey>()
  /** Nonces of the applications that are under way: each is known to one validator. */
  readonly #applications = new Map<DidKey, Uint8Array>()
  readonly #greedy = new Set<DidKey>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** An application begins. */
  begin(): void {
    this.#challengers.clear()
    this.#applications.clear()
  }

  /** A validator gets an application with this nonce. */
  applied(validator: DidKey, nonce: Uint8Array): void {
    this.#applications.set(validator, nonce)
  }

  /**
   * A challenge was put in the name of a validator, by whom the channel does not tell. Only when its nonce was drawn for the
   * application to that validator it is its own, put by itself or by a member: it does something.
   */
  challengedBy(validator: DidKey, nonce: Uint8Array): void {
    const application = this.#applications.get(validator)
    if (application !== undefined && isChallengeOf(nonce, application)) this.#challengers.add(validator)
  }

  /** A validator answered, after it measured for so many ms. */
  answered(validator: DidKey, isVote: boolean, turnMs: number): void {
    if (isVote) this.#greedy.delete(validator)
    else if (turnMs >= LONG_TURN_MS) this.#greedy.add(validator)
  }

  /** Who is asked first, and who after them. */
  inOrder(validators: readonly DidKey[]): readonly (readonly DidKey[])[] {
    const isGreedy = (id: DidKey): boolean => this.#greedy.has(id)
    return [validators.filter((id) => !isGreedy(id)), validators.filter(isGreedy)]
  }

  /**
   * Until a validator has answered, or has been silent for so long that another is asked as well, and before it from then on.
   * @param busyMs for its answer once it has put its challenge
   */
  async whileBusy(validator: DidKey, answer: Promise<void>, busyMs: number, signal: AbortSignal): Promise<void> {
    const answered = new AbortController()
    const done = answer.then(() => {
      answered.abort()
      return true
    })
    const either = AbortSignal.any([signal, answered.signal])
    const isDoneWithin = (ms: number): Promise<boolean> =>
      Promise.race([
        done,
        wait(this.#clock, ms, either).then(
          () => false,
          () => true,
        ),
      ])
    if (await isDoneWithin(SILENT_MS)) return
    if (this.#challengers.has(validator) && (await isDoneWithin(busyMs))) return
    this.#greedy.add(validator)
  }
}
