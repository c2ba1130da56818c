import { type Clock } from '@weft/core'
import { type ClientKeyMemory } from './seen-client-keys.ts'

/** Unit of the time that a client tells beside its early key, ms, and how many of them there are before it begins anew. */
const UNIT_MS = 32_000
const UNITS = 2 ** 16
/** Units for which a hop must have forgotten nothing: it may take an early key one after its time, when it took it one before, and part of one. */
const MEMORY_UNITS = 3

/** The time that goes with an early key: Unix time in units of 32 s, modulo 2^16. */
export function earlyTime(nowMs: number): number {
  return Math.floor(nowMs / UNIT_MS) % UNITS
}

/**
 * Whether a hop takes early keys. What comes under one makes it call the next hop: who recorded it must not be able to have that done
 * again, after the hop was started anew or was made to forget what it answered. So it takes only keys of about now, and none
 * until it remembers all that could have come with one.
 */
export class EarlyGate {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>
  readonly #memory: ClientKeyMemory
  /** Monotonic ms: since when nothing is forgotten, and since when nothing was at the last change of generations. */
  #completeSince: number
  #youngSince: number
  #generation: number

  /** @param isFirstUse nobody can have used the onion keys before */
  constructor(clock: Pick<Clock, 'now' | 'monotonic'>, memory: ClientKeyMemory, isFirstUse: boolean) {
    this.#clock = clock
    this.#memory = memory
    this.#completeSince = isFirstUse ? -Infinity : clock.monotonic()
    this.#youngSince = this.#completeSince
    this.#generation = memory.generation
  }

  /** @param time as the client told it */
  takes(time: number): boolean {
    const now = this.#clock.monotonic()
    const passed = this.#memory.generation - this.#generation
    if (passed !== 0) {
      // Of more than one change it is not known when the first was.
      this.#completeSince = passed === 1 ? this.#youngSince : now
      this.#youngSince = now
      this.#generation += passed
    }
    const off = (earlyTime(this.#clock.now()) - time + UNITS) % UNITS
    return (off <= 1 || off === UNITS - 1) && now - this.#completeSince >= MEMORY_UNITS * UNIT_MS
  }
}
