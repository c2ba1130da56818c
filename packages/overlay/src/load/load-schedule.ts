import { SLOT_MS, refreshMs } from './load-limits.ts'
import type { LoadStep } from './load-step.ts'

/**
 * When a node says its load: it looks once in each slot, at a time of the slot that its key gives, and says what it finds when that is another step
 * than it said last, or when it is time to say it anew. When it looks follows from nothing that it carries.
 */
export class LoadSchedule {
  readonly #phase: number
  #slot: number
  #said: { readonly slot: number; readonly step: LoadStep } | undefined

  /** @param key 32 bytes @param now ms since the Unix epoch. The slot of the start is left out: the process before may have spoken in it. */
  constructor(key: Uint8Array, now: number) {
    this.#phase = new DataView(key.buffer, key.byteOffset).getUint32(0) % SLOT_MS
    this.#slot = this.#at(now)
  }

  /** ms from `now` to the next look. */
  wait(now: number): number {
    return Math.max(1, (this.#at(now) + 1) * SLOT_MS + this.#phase - now)
  }

  /**
   * The slot to say `step` in; undefined where there is nothing to say.
   * @param carriers nodes that say theirs
   */
  look(step: LoadStep, now: number, carriers: number): number | undefined {
    const slot = this.#at(now)
    // Once a slot, and never of one before: a clock may be set back.
    if (slot <= this.#slot) return undefined
    this.#slot = slot
    const said = this.#said
    const isDue = said === undefined || (slot - said.slot) * SLOT_MS >= refreshMs(carriers)
    if (said?.step === step && !isDue) return undefined
    this.#said = { slot, step }
    return slot
  }

  /** The slot whose look is behind or at `now`. */
  #at(now: number): number {
    return Math.floor((now - this.#phase) / SLOT_MS)
  }
}
