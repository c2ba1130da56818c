import { DIGEST_WORDS, KeyDigest, isAt } from './shared-digest.ts'
import { SharedLock } from './shared-lock.ts'

/** Names that share a place: 2,048 sessions of each of 16 workers leave three of four free. */
const WAYS = 8
const PLACES = 16_384
/** Digest, and the worker. */
const ENTRY_WORDS = DIGEST_WORDS + 1

export function sessionNamesMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer((1 + PLACES * WAYS * ENTRY_WORDS) * Int32Array.BYTES_PER_ELEMENT)
}

/** Which packet worker has the session of a name: keyed digests, so that nobody outside chooses where a name stands, and a look tells nothing of one. */
export class SharedSessionNames {
  readonly #words: Int32Array
  readonly #lock: SharedLock
  readonly #digest: KeyDigest

  constructor(memory: SharedArrayBuffer, secret: Uint8Array) {
    this.#words = new Int32Array(memory)
    this.#lock = new SharedLock(this.#words, 0)
    this.#digest = new KeyDigest(secret)
  }

  /** Where there is no place left the session is found by its own worker only; a name that is there stays whose it was. */
  add(name: Uint8Array, worker: number): void {
    const digest = this.#digest.of(name)
    this.#lock.run(() => {
      if (this.#find(digest) >= 0) return
      const free = this.#free(digest)
      if (free < 0) return
      this.#words.set(digest, free)
      this.#words[free + DIGEST_WORDS] = worker
    }, undefined)
  }

  find(name: Uint8Array): number | undefined {
    const digest = this.#digest.of(name)
    return this.#lock.run(() => {
      const at = this.#find(digest)
      return at < 0 ? undefined : this.#words[at + DIGEST_WORDS]
    }, undefined)
  }

  /** Of this worker's only. */
  remove(name: Uint8Array, worker: number): void {
    const digest = this.#digest.of(name)
    this.#lock.run(() => {
      const at = this.#find(digest)
      if (at >= 0 && this.#words[at + DIGEST_WORDS] === worker) this.#words.fill(0, at, at + ENTRY_WORDS)
    }, undefined)
  }

  #find(digest: Int32Array): number {
    return this.#first(digest, (at) => isAt(this.#words, at, digest))
  }

  #free(digest: Int32Array): number {
    return this.#first(digest, (at) => this.#words[at] === 0)
  }

  #first(digest: Int32Array, fits: (at: number) => boolean): number {
    const start = 1 + ((digest[1] as number) & (PLACES - 1)) * WAYS * ENTRY_WORDS
    for (let way = 0; way < WAYS; way++) if (fits(start + way * ENTRY_WORDS)) return start + way * ENTRY_WORDS
    return -1
  }
}
