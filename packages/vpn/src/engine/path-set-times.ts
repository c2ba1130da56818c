import type { Clock, Random } from '@weft/core'
import { uniform } from '../route/uniform.ts'
import { Alarm } from './alarm.ts'
import { SLOW_BUILD_MS } from './leg.ts'
import type { PathSet } from './path-set.ts'

export interface PathSetTimesInit {
  readonly clock: Clock
  readonly random: Random
  /** ms for which new streams take a path set, for each one anew; for ever where it is left out. */
  readonly rotationMs?: () => number
  /** The time of one is over, or one has been built for longer than others wait. */
  readonly onDue: () => void
}

/** Part of the time of a path set by which it may be shorter or longer. */
const ROTATION_JITTER = 0.25

/** For how long path sets are waited for, and take new streams: data, and one timer for all of them. */
export class PathSetTimes {
  readonly #init: PathSetTimesInit
  /** Monotonic ms from which new streams take others, of all that were in use; of those that are over, too, if it was then. */
  readonly #staleAt = new WeakMap<PathSet, number>()
  /** Monotonic ms: when there is something to do about one. */
  readonly #dueAt = new Map<PathSet, number>()
  readonly #alarm: Alarm

  constructor(init: PathSetTimesInit) {
    this.#init = init
    this.#alarm = new Alarm(init.clock, () => this.#onDue())
  }

  /** It is being built. */
  begin(set: PathSet): void {
    this.#wake(set, this.#now() + SLOW_BUILD_MS)
  }

  /** Its time for new streams begins, unless it has: with some chance more or less, so that nobody knows when it ends. */
  use(set: PathSet): void {
    if (this.#staleAt.has(set)) return
    const mean = this.#init.rotationMs?.() ?? Infinity
    const staleAt = this.#now() + mean * (1 - ROTATION_JITTER + 2 * ROTATION_JITTER * uniform(this.#init.random))
    this.#staleAt.set(set, staleAt)
    this.#wake(set, staleAt)
  }

  /** New streams take others from now on. */
  expire(set: PathSet): void {
    this.#staleAt.set(set, this.#now())
    this.#dueAt.delete(set)
  }

  /** Its time for new streams is over; of one that has ended: it was. */
  isStale(set: PathSet): boolean {
    return this.#now() >= (this.#staleAt.get(set) ?? Infinity)
  }

  /** It is over. */
  end(set: PathSet): void {
    if (!this.isStale(set)) this.#staleAt.delete(set)
    this.#dueAt.delete(set)
  }

  close(): void {
    this.#dueAt.clear()
    this.#alarm.clear()
  }

  #wake(set: PathSet, at: number): void {
    this.#dueAt.set(set, at)
    this.#setAlarm()
  }

  #setAlarm(): void {
    this.#alarm.set(Math.min(Infinity, ...this.#dueAt.values()))
  }

  #onDue(): void {
    const now = this.#now()
    let isNews = false
    for (const [set, at] of this.#dueAt) {
      if (at > now) continue
      this.#dueAt.delete(set)
      isNews ||= !set.ready || this.isStale(set)
    }
    this.#setAlarm()
    if (isNews) this.#init.onDue()
  }

  #now(): number {
    return this.#init.clock.monotonic()
  }
}
