import { createPublicKey, type KeyObject } from 'node:crypto'
import { concatBytes } from '@weft/core'

/** Keys that are kept; the one unused longest goes first. About 2 KiB each. */
const MAX_KEYS = 256
// RFC 8410, section 4: the fixed DER prefix before the 32 raw key bytes.
const SPKI_PREFIX = Uint8Array.fromHex('302a300506032b6570032100')

/**
 * Ed25519 public keys as OpenSSL wants them, which takes it a tenth of a verification to make: the validators of a network
 * sign nearly all that is verified.
 */
export class VerifyingKeys {
  /** By the raw key, in order of last use. */
  readonly #keys = new Map<string, KeyObject>()

  get size(): number {
    return this.#keys.size
  }

  /** @param publicKey 32 bytes @throws Error of OpenSSL when they are no key */
  of(publicKey: Uint8Array): KeyObject {
    const name = publicKey.toBase64()
    const key = this.#keys.get(name) ?? makeKey(publicKey)
    this.#keys.delete(name)
    this.#keys.set(name, key)
    if (this.#keys.size > MAX_KEYS) {
      const [oldest] = this.#keys.keys()
      if (oldest !== undefined) this.#keys.delete(oldest)
    }
    return key
  }
}

function makeKey(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(concatBytes([SPKI_PREFIX, publicKey])), format: 'der', type: 'spki' })
}
