import { concatBytes } from '@weft/core'
import { type InitiationMemory, isOfOtherClock } from '../link/initiation-times.ts'
import { MAX_SKEW_MS } from '../link/timing.ts'
import { DIGEST_WORDS, KeyDigest, isAt } from './shared-digest.ts'
import { SharedLock } from './shared-lock.ts'

/** Keys that share a place; the one whose time is the oldest makes room. */
const WAYS = 8
/** Digest, and a time as a 64-bit float. */
const ENTRY_WORDS = DIGEST_WORDS + 2
const HEAD_WORDS = 2

/** Memory for so many keys. @param capacity a power of two, 8 at least */
export function initiationTimesMemory(capacity: number): SharedArrayBuffer {
  return new SharedArrayBuffer((HEAD_WORDS + capacity * ENTRY_WORDS) * Int32Array.BYTES_PER_ELEMENT)
}

/** As `InitiationTimes`, for all packet workers of a node together: an initiation that one has taken no other takes again. */
export class SharedInitiationTimes implements InitiationMemory {
  readonly #words: Int32Array
  readonly #times: Float64Array
  readonly #places: number
  readonly #lock: SharedLock
  readonly #digest: KeyDigest

  constructor(memory: SharedArrayBuffer, secret: Uint8Array) {
    this.#words = new Int32Array(memory)
    this.#times = new Float64Array(memory)
    this.#places = (this.#words.length - HEAD_WORDS) / ENTRY_WORDS / WAYS
    this.#lock = new SharedLock(this.#words, 0)
    this.#digest = new KeyDigest(secret)
  }

  accept(initiatorKey: Uint8Array, part: number, time: number, now: number): boolean {
    if (Math.abs(time - now) > MAX_SKEW_MS) return false
    const digest = this.#digest.of(concatBytes([initiatorKey, Uint8Array.of(part)]))
    return this.#lock.run(() => this.#note(digest, time, now), false)
  }

  #note(digest: Int32Array, time: number, now: number): boolean {
    // A time of another clock makes room first.
    const timeAt = (at: number): number => (isOfOtherClock(this.#timeAt(at), now) ? 0 : this.#timeAt(at))

    const first = HEAD_WORDS + ((digest[1] as number) & (this.#places - 1)) * WAYS * ENTRY_WORDS
    let oldest = first
    for (let way = 0; way < WAYS; way++) {
      const at = first + way * ENTRY_WORDS
      if (isAt(this.#words, at, digest)) {
        if (time <= timeAt(at)) return false
        this.#times[(at + DIGEST_WORDS) / 2] = time
        return true
      }
      // A free place has the time 0.
      if (timeAt(at) < timeAt(oldest)) oldest = at
    }
    this.#words.set(digest, oldest)
    this.#times[(oldest + DIGEST_WORDS) / 2] = time
    return true
  }

  #timeAt(at: number): number {
    return this.#times[(at + DIGEST_WORDS) / 2] as number
  }
}
