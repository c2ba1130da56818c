import type { Clock } from '@weft/core'

/** ms of its share that an invitation may use ahead. */
const BURST_MS = 250

/** Parts a bandwidth among those who use it, equally; who uses little leaves nothing idle that others want. */
export class FairShare<User> {
  readonly #bytesPerSecond: number | undefined
  readonly #clock: Pick<Clock, 'monotonic'>
  /** When each has used up what it took, monotonic ms. */
  readonly #until = new Map<User, number>()

  /** @param bytesPerSecond undefined for no limit */
  constructor(bytesPerSecond: number | undefined, clock: Pick<Clock, 'monotonic'>) {
    this.#bytesPerSecond = bytesPerSecond
    this.#clock = clock
  }

  /** ms that this user has to wait with more after these bytes. */
  take(user: User, bytes: number): number {
    if (this.#bytesPerSecond === undefined) return 0
    const now = this.#clock.monotonic()
    for (const [each, until] of this.#until) if (until <= now && each !== user) this.#until.delete(each)
    const users = this.#until.size + (this.#until.has(user) ? 0 : 1)
    const from = Math.max(now, this.#until.get(user) ?? now)
    const until = from + (bytes * 1_000 * users) / this.#bytesPerSecond
    this.#until.set(user, until)
    return Math.max(0, until - now - BURST_MS)
  }
}
