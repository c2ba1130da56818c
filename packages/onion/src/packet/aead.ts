import { WeftError } from '@weft/core'
import { KEY_BYTES, aeadOpen, aeadSeal, wipe } from '../sodium.ts'

/** ChaCha20-Poly1305 (RFC 8439) under one key, which it copies and wipes: of handshakes. For packets see `PacketAead`. */
export class Aead {
  readonly #key: Uint8Array
  #wiped = false

  /** @throws RangeError when the key is not 32 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new RangeError(`an AEAD key has ${KEY_BYTES} bytes, got ${key.length}`)
    this.#key = new Uint8Array(key)
  }

  /**
   * Writes ciphertext and tag of `plain` to `sealed`: 16 bytes longer, starting at the same byte or in other memory.
   * @throws RangeError on a wrong length. @throws WeftError E_KEY_WIPED after {@link wipe}.
   */
  seal(sealed: Uint8Array, plain: Uint8Array, additional: Uint8Array | undefined, nonce: Uint8Array): void {
    if (this.#wiped) throw keyWiped()
    aeadSeal(sealed, plain, additional, nonce, this.#key)
  }

  /** False, with `plain` zeroed, when the tag is wrong, or the key was wiped. @throws RangeError on a wrong length. */
  open(plain: Uint8Array, sealed: Uint8Array, additional: Uint8Array | undefined, nonce: Uint8Array): boolean {
    return !this.#wiped && aeadOpen(plain, sealed, additional, nonce, this.#key)
  }

  wipe(): void {
    this.#wiped = true
    wipe(this.#key)
  }
}

/** What sealing under a key that was wiped throws. */
export function keyWiped(): WeftError {
  return new WeftError({
    code: 'E_KEY_WIPED',
    cause: 'A packet was to be sealed under a key that is no longer held.',
    fix: 'Restart the node and report this as a defect of Weft.',
  })
}
