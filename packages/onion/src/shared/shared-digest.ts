import { blake2bMac } from '../sodium.ts'

/** Words of a digest: 16 bytes. */
export const DIGEST_WORDS = 4

/**
 * BLAKE2b-128 of keys, under a secret of the node: nobody outside can choose keys that fall on the same place of a table. The first word is
 * never 0, which marks a free place.
 */
export class KeyDigest {
  readonly words = new Int32Array(DIGEST_WORDS)
  readonly #bytes = new Uint8Array(this.words.buffer)
  readonly #secret: Uint8Array

  /** @param secret 32 random bytes */
  constructor(secret: Uint8Array) {
    this.#secret = secret
  }

  /** The digest stands in {@link words} until the next call. */
  of(bytes: Uint8Array): Int32Array {
    blake2bMac(this.#bytes, bytes, this.#secret)
    this.words[0] = (this.words[0] as number) | 1
    return this.words
  }
}

/** Whether the digest stands at a place of a table. */
export function isAt(table: Int32Array, at: number, digest: Int32Array): boolean {
  for (let word = 0; word < DIGEST_WORDS; word++) if (table[at + word] !== digest[word]) return false
  return true
}
