import type { DidKey } from '@weft/crypto'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * ms between tries of a guard that is silent, by how long it has been. As Tor's guard specification has it ("Retrying
 * guards") but for the first minutes, in which a node that was started anew comes back.
 */
const RETRIES = {
  primary: [
    [10 * MINUTE, MINUTE],
    [6 * HOUR, 10 * MINUTE],
    [4 * DAY, 90 * MINUTE],
    [7 * DAY, 4 * HOUR],
    [Infinity, 9 * HOUR],
  ],
  other: [
    [HOUR, 10 * MINUTE],
    [6 * HOUR, HOUR],
    [4 * DAY, 4 * HOUR],
    [7 * DAY, 18 * HOUR],
    [Infinity, 36 * HOUR],
  ],
} as const

/** No guard answered for so long: then it was the network around rather than the guards (guard specification, "When a circuit
 * succeeds"). */
const NETWORK_DOWN_MS = 10 * MINUTE

/** Which guards answer, as far as is known since this start; nothing of it is kept. All times monotonic, ms. */
export class GuardReach {
  readonly #silent = new Map<DidKey, { readonly since: number; readonly retryAt: number }>()
  #lastAnswer: number | undefined

  /** @param primary those that legs are to begin at */
  onSilent(id: DidKey, primary: boolean, now: number): void {
    const since = this.#silent.get(id)?.since ?? now
    const schedule = RETRIES[primary ? 'primary' : 'other']
    const [, wait] = schedule.find(([until]) => now - since < until) ?? schedule[4]
    this.#silent.set(id, { since, retryAt: now + wait })
  }

  onAnswered(id: DidKey, now: number): void {
    this.#silent.delete(id)
    const before = this.#lastAnswer
    this.#lastAnswer = now
    // Nothing answered before, and now something does: the others are tried again as well.
    if (before === undefined || now - before > NETWORK_DOWN_MS) this.#silent.clear()
  }

  /** Others reached it by other ways. */
  onReachable(id: DidKey): void {
    this.#silent.delete(id)
  }

  /** It was silent, and is not to be tried again yet. */
  isSilent(id: DidKey, now: number): boolean {
    return now < (this.#silent.get(id)?.retryAt ?? now)
  }

  /** When it is to be tried again; 0 for one that is not silent. */
  retryAt(id: DidKey): number {
    return this.#silent.get(id)?.retryAt ?? 0
  }
}
