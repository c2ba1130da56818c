import type { Clock } from '@weft/core'
import type { Site } from './site.ts'

/**
 * Running; stopped as by SIGSTOP, when nothing runs and nothing is lost; ended, when its machine closes its connections;
 * or gone with its machine, when nobody is told.
 */
export type ProcessState = 'running' | 'stalled' | 'ended' | 'gone'

/**
 * One process of the simulation: its machine, its clock, and whether it runs. Its code runs only from here, out of
 * timers and arrivals, so that a stalled one stands still and of an ended one nothing is heard again.
 */
export class SimulatedProcess {
  /** As the trace names it. */
  readonly name: string
  readonly site: Site
  /** What the process sees as the time. */
  readonly clock: Clock
  /** Messages that it sent since it began. */
  sent = 0
  readonly #time: Clock
  readonly #timers = new Set<() => void>()
  /** What fell due and what arrived while it was stalled, each in order. */
  readonly #heldTimers: (() => void)[] = []
  readonly #heldArrivals: (() => void)[] = []
  #state: ProcessState = 'running'
  /** It runs again, and comes to what it missed. */
  #catchingUp = false

  /** @param time of the simulation @param skewMs how far ahead the clock of this machine is */
  constructor(name: string, site: Site, time: Clock, skewMs = 0) {
    this.name = name
    this.site = site
    this.#time = time
    this.clock = {
      // Whole ms, as the system's clock tells them.
      now: () => Math.floor(time.now() + skewMs),
      monotonic: () => time.monotonic(),
      after: (ms, callback) => this.#after(ms, callback),
    }
  }

  get state(): ProcessState {
    return this.#state
  }

  get over(): boolean {
    return this.#state === 'ended' || this.#state === 'gone'
  }

  /** Hands it what has arrived: now, once it runs again, or never. */
  arrive(task: () => void): void {
    if (this.#state === 'running' && !this.#catchingUp) task()
    else if (!this.over) this.#heldArrivals.push(task)
  }

  stall(): void {
    if (this.#state === 'running') this.#state = 'stalled'
  }

  /** It wakes up to its timers first and to its sockets then, as an event loop does. */
  resume(): void {
    if (this.#state !== 'stalled') return
    this.#state = 'running'
    if (this.#catchingUp) return
    this.#catchingUp = true
    this.#time.after(0, () => this.#catchUp())
  }

  /** Nothing of it runs any more, and what it held is let go. */
  end(state: 'ended' | 'gone'): void {
    if (this.over) return
    this.#state = state
    this.#heldTimers.length = 0
    this.#heldArrivals.length = 0
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
  }

  /** One task after the other, as each may change what the next one meets. */
  #catchUp(): void {
    const task = this.#state === 'running' ? (this.#heldTimers.shift() ?? this.#heldArrivals.shift()) : undefined
    this.#catchingUp = task !== undefined
    if (task === undefined) return
    task()
    this.#time.after(0, () => this.#catchUp())
  }

  #after(ms: number, callback: () => void): () => void {
    if (this.over) return () => {}
    const fire = (): void => {
      if (this.#timers.delete(cancel)) callback()
    }
    const cancelTimer = this.#time.after(ms, () => {
      if (this.#state === 'running' && !this.#catchingUp) fire()
      else this.#heldTimers.push(fire)
    })
    const cancel = (): void => {
      cancelTimer()
      this.#timers.delete(cancel)
    }
    this.#timers.add(cancel)
    return cancel
  }
}
