import type { Clock } from './clock.ts'
import { type Timer, TimerHeap } from './timer-heap.ts'

/**
 * A clock that moves only when told to; timers fire in order of their due time, then of their making. For tests and
 * simulation.
 */
export class VirtualClock implements Clock {
  #now: number
  readonly #started: number
  readonly #settle: () => Promise<void>
  readonly #timers = new TimerHeap()
  #sequence = 0
  /** ms that the wall clock was set forward in all. */
  #set = 0

  /**
   * @param startMs ms since the Unix epoch
   * @param settle how what one timer caused is let come to rest before the next one fires: by default one turn of the
   * event loop, within which what waits for files and sockets makes some progress, too
   */
  constructor(startMs = 0, settle: () => Promise<void> = turnOfTheLoop) {
    this.#now = startMs
    this.#started = startMs
    this.#settle = settle
  }

  now(): number {
    return this.#now + this.#set
  }

  monotonic(): number {
    return this.#now - this.#started
  }

  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { due: this.#now + Math.max(0, ms), sequence: this.#sequence++, callback, at: -1 }
    this.#timers.add(timer)
    return () => this.#timers.remove(timer)
  }

  /** When the next timer is due, by `now()`; undefined while there is none. */
  get nextDue(): number | undefined {
    const due = this.#timers.first()?.due
    return due === undefined ? undefined : due + this.#set
  }

  /** Sets the wall clock forward, or back: no time passes, and no timer is due for it. */
  jump(ms: number): void {
    this.#set += ms
  }

  /** Moves time forward, firing what falls due on the way and letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      const next = this.#timers.first()
      if (next === undefined || next.due > end) break
      this.#timers.remove(next)
      this.#now = Math.max(this.#now, next.due)
      next.callback()
      await this.#settle()
    }
    this.#now = end
    await this.#settle()
  }
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
