import { createCipheriv, createDecipheriv } from 'node:crypto'
import { type Random, concatBytes, fromUtf8, utf8 } from '@weft/core'
import { type SigningKey, hkdf, wipe } from '@weft/crypto'
import { TAG_SIZE } from './object-layout.ts'

/** Bytes in front of what is sealed: each row has its own, and without it none can be opened. */
export const NONCE_SIZE = 12

/** Seals the secret parts of the rows of the local list under a key derived from the person's (docs/specs/objects.md). */
export class SealedRows implements Disposable {
  readonly #key: Uint8Array
  readonly #random: Random

  /** @param info names the list that the rows are of: another key for each. */
  constructor(personKey: SigningKey, random: Random, info = 'weft:object-index:v1') {
    const seed = personKey.seed()
    this.#key = hkdf(seed, new Uint8Array(0), info, 32)
    wipe(seed)
    this.#random = random
  }

  /** @param row names the row: what is sealed for one opens in no other. */
  seal(row: string, plain: unknown): Uint8Array {
    const nonce = this.#random.bytes(NONCE_SIZE)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(utf8(row))
    return concatBytes([nonce, cipher.update(utf8(JSON.stringify(plain))), cipher.final(), cipher.getAuthTag()])
  }

  /** @throws Error when it was sealed under another key, or for another row */
  open(row: string, sealed: Uint8Array): unknown {
    const end = sealed.length - TAG_SIZE
    const nonce = sealed.subarray(0, NONCE_SIZE)
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_SIZE })
    decipher.setAAD(utf8(row)).setAuthTag(sealed.subarray(end))
    return JSON.parse(fromUtf8(concatBytes([decipher.update(sealed.subarray(NONCE_SIZE, end)), decipher.final()])))
  }

  [Symbol.dispose](): void {
    wipe(this.#key)
  }
}
