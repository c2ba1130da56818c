import { KEY_BYTES, NONCE_BYTES, aeadOpen, aeadSeal, wipe } from '../sodium.ts'
import { keyWiped } from './aead.ts'
import type { Packet } from './packet.ts'
import type { Span } from './span.ts'

/** Seals and opens parts of slots under one key with nonces of 12 bytes and tags of 16 (the interface of RFC 5116, section 2). */
export interface PacketAead {
  /** 12 bytes; the caller writes them before each call. */
  readonly nonce: DataView
  /**
   * Writes ciphertext and tag of the plaintext in `from` to `to`, where the associated data is; both may be one slot, unless the
   * span moves what it seals. @throws WeftError E_KEY_WIPED after {@link wipe}.
   */
  seal(to: Packet, from: Packet, span: Span): void
  /** The other way round; the associated data is in `from`. False, with the plaintext's place zeroed, when the tag is wrong, or the key was wiped. */
  open(to: Packet, from: Packet, span: Span): boolean
  wipe(): void
}

/** ChaCha20-Poly1305 (RFC 8439) under one key, which it copies and wipes. */
export class ChaChaPackets implements PacketAead {
  readonly nonce: DataView
  readonly #nonce = new Uint8Array(NONCE_BYTES)
  readonly #key: Uint8Array
  #wiped = false

  /** @throws RangeError when the key is not 32 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new RangeError(`an AEAD key has ${KEY_BYTES} bytes, got ${key.length}`)
    this.#key = new Uint8Array(key)
    this.nonce = new DataView(this.#nonce.buffer)
  }

  seal(to: Packet, from: Packet, span: Span): void {
    if (this.#wiped) throw keyWiped()
    aeadSeal(to.sealedOf(span), from.plainOf(span), span.tail === 0 ? undefined : to.tail, this.#nonce, this.#key)
  }

  open(to: Packet, from: Packet, span: Span): boolean {
    const additional = span.tail === 0 ? undefined : from.tail
    return !this.#wiped && aeadOpen(to.plainOf(span), from.sealedOf(span), additional, this.#nonce, this.#key)
  }

  wipe(): void {
    this.#wiped = true
    wipe(this.#key)
  }
}
