import { toHex } from '@weft/core'
import { MAX_SKEW_MS } from './timing.ts'

/** What a node knows of initiations that it took. */
export interface InitiationMemory {
  /**
   * Whether an initiation of `time` may be answered at `now`, both ms since the epoch; if so it is noted.
   * @param part of the initiator, which counts its times by itself
   */
  accept(initiatorKey: Uint8Array, part: number, time: number, now: number): boolean
}

/**
 * The time of the last initiation taken from each key, against replays. A key is forgotten when its time is too old to be
 * taken again anyway, or when too many newer ones came: a replay then costs one handshake, and gives nobody keys.
 */
export class InitiationTimes implements InitiationMemory {
  readonly #capacity: number
  readonly #times = new Map<string, number>()

  constructor(capacity = 16_384) {
    this.#capacity = capacity
  }

  accept(initiatorKey: Uint8Array, part: number, time: number, now: number): boolean {
    if (Math.abs(time - now) > MAX_SKEW_MS) return false
    const key = `${toHex(initiatorKey)} ${part}`
    const before = this.#times.get(key) ?? -1
    if (time <= before && !isOfOtherClock(before, now)) return false
    this.#times.delete(key)
    this.#times.set(key, time)
    for (const [oldest, at] of this.#times) {
      const isNeeded = at >= now - MAX_SKEW_MS && !isOfOtherClock(at, now)
      if (this.#times.size <= this.#capacity && isNeeded) break
      this.#times.delete(oldest)
    }
    return true
  }
}

/** It was taken while this node's clock was ahead of what it is now: with it who set his own right as well would be kept out until then. */
export function isOfOtherClock(time: number, now: number): boolean {
  return time > now + MAX_SKEW_MS
}
