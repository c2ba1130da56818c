/** Part of what is free that one session may have: n sessions that always want more come to hold n/(n + 8) of the places (dynamic thresholds, Choudhury and Hahne 1998). */
const SHARE = 1 / 8

/** Places of one kind that all sessions of an exit share; each has one at least, while any is free. */
export class SessionShares {
  readonly #limit: number
  readonly #held = new WeakMap<object, number>()
  #used = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get limit(): number {
    return this.#limit
  }

  /** Of all sessions. */
  get used(): number {
    return this.#used
  }

  /** Whether a session could take one more that has as many as it took here, or `count` where that is more. */
  hasRoom(session: object, count = 0): boolean {
    const free = this.#limit - this.#used
    return free >= 1 && Math.max(count, this.#held.get(session) ?? 0) < Math.max(1, free * SHARE)
  }

  /** False when all are taken, or the session has its share. */
  take(session: object): boolean {
    if (!this.hasRoom(session)) return false
    this.#used++
    this.#held.set(session, (this.#held.get(session) ?? 0) + 1)
    return true
  }

  /** One that the session took is free again. */
  give(session: object): void {
    this.#used--
    this.#held.set(session, (this.#held.get(session) ?? 1) - 1)
  }
}
