import type { Clock } from '@weft/core'

/** Sessions at once: some 30 KB each before a byte is carried. */
export const MAX_SESSIONS = 2_048
/**
 * ms that a session has to have stood to wait for a circuit when it has none left: else who makes circuits and ends them at once, as fast as its entry
 * lets a client, has several hundred sessions with the 64 circuits that it may have.
 */
const MIN_STANDING_MS = 5_000

/** Which sessions an exit has, and which of them wait for a circuit: these keep nobody else out. */
export class SessionPlaces<T> {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** With when they began, monotonic ms. */
  readonly #sessions = new Map<T, number>()
  /** Who waits longest is first. */
  readonly #orphans = new Set<T>()
  /** Circuits that may begin one. */
  undecided = 0

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** All sessions, in the order in which they began. */
  get all(): Iterable<T> {
    return this.#sessions.keys()
  }

  /** Those that have a circuit. */
  get active(): number {
    return this.#sessions.size - this.#orphans.size
  }

  /** Part of the places that are taken. */
  get fill(): number {
    return this.active / MAX_SESSIONS
  }

  /** Whether a circuit may come that may begin a session. @param lent circuits here that carry for sessions elsewhere */
  hasRoom(lent: number): boolean {
    return this.active + this.undecided + lent < MAX_SESSIONS
  }

  /** The session that is to end before another one begins: the one that waits for a circuit longest, where all places are taken. */
  get inTheWay(): T | undefined {
    if (this.#sessions.size < MAX_SESSIONS) return undefined
    const [oldest] = this.#orphans
    return oldest
  }

  begin(session: T): void {
    this.#sessions.set(session, this.#clock.monotonic())
  }

  /** A circuit joined it. */
  found(session: T): void {
    this.#orphans.delete(session)
  }

  /** It has no circuit any more. False when it is not to wait for one. */
  orphan(session: T): boolean {
    const since = this.#sessions.get(session)
    if (since === undefined || this.#clock.monotonic() - since < MIN_STANDING_MS) return false
    this.#orphans.add(session)
    return true
  }

  end(session: T): void {
    this.#sessions.delete(session)
    this.#orphans.delete(session)
  }
}
