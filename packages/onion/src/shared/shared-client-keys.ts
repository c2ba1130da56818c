import { concatBytes } from '@weft/core'
import type { ClientKeyMemory } from '../circuit/seen-client-keys.ts'
import { DIGEST_WORDS, KeyDigest, isAt } from './shared-digest.ts'
import { SharedLock } from './shared-lock.ts'

/** Words before the tables: the lock, which of both tables is the younger, how many it holds, and how often a younger one began. */
const HEAD_WORDS = 4
const [LOCK, YOUNGER, COUNT, GENERATION] = [0, 1, 2, 3]

/** Memory for so many keys in each of two generations, twice as many places. @param limit a power of two */
export function clientKeysMemory(limit: number): SharedArrayBuffer {
  return new SharedArrayBuffer((HEAD_WORDS + 2 * 2 * limit * DIGEST_WORDS) * Int32Array.BYTES_PER_ELEMENT)
}

/**
 * As `SeenClientKeys`, for all packet workers of a node together: a handshake that one has answered no other answers again. Two generations
 * in open tables, all onion keys in the same.
 */
export class SharedClientKeys implements ClientKeyMemory {
  readonly #words: Int32Array
  readonly #limit: number
  readonly #lock: SharedLock
  readonly #digest: KeyDigest

  constructor(memory: SharedArrayBuffer, secret: Uint8Array) {
    this.#words = new Int32Array(memory)
    this.#limit = (this.#words.length - HEAD_WORDS) / (4 * DIGEST_WORDS)
    this.#lock = new SharedLock(this.#words, LOCK)
    this.#digest = new KeyDigest(secret)
  }

  remember(onionKey: Uint8Array, clientKey: Uint8Array): boolean {
    const digest = this.#digest.of(concatBytes([onionKey, clientKey]))
    // Who cannot look must not answer.
    return this.#lock.run(() => this.#add(digest), false)
  }

  /** Those of other onion keys go with the others of their generation. */
  keepOnly(): void {}

  get generation(): number {
    return Atomics.load(this.#words, GENERATION)
  }

  get size(): number {
    return this.#words[COUNT] as number
  }

  #add(digest: Int32Array): boolean {
    const words = this.#words
    const younger = words[YOUNGER] as number
    if (words[this.#find(1 - younger, digest)] !== 0) return false
    let at = this.#find(younger, digest)
    if (words[at] !== 0) return false
    if ((words[COUNT] as number) >= this.#limit) {
      const older = 1 - younger
      words.fill(0, this.#start(older), this.#start(older) + this.#tableWords)
      words[YOUNGER] = older
      words[GENERATION] = (words[GENERATION] as number) + 1
      words[COUNT] = 0
      at = this.#find(older, digest)
    }
    words.set(digest, at)
    words[COUNT] = (words[COUNT] as number) + 1
    return true
  }

  get #tableWords(): number {
    return 2 * this.#limit * DIGEST_WORDS
  }

  #start(table: number): number {
    return HEAD_WORDS + table * this.#tableWords
  }

  /** Where the digest stands, or the free place where it would: half of the places at least are free. */
  #find(table: number, digest: Int32Array): number {
    const places = 2 * this.#limit
    const start = this.#start(table)
    for (let place = (digest[1] as number) & (places - 1); ; place = (place + 1) & (places - 1)) {
      const at = start + place * DIGEST_WORDS
      if (this.#words[at] === 0 || isAt(this.#words, at, digest)) return at
    }
  }
}
