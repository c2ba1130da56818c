import { KEY_BYTES, chacha20Xor, wipe } from '../sodium.ts'
import type { Packet } from './packet.ts'

export const MASK_BYTES = 16
/** Bytes 20 to 35 of a sealed packet. */
export const SAMPLE_AT = 20

/** Masks of header protection under one key (RFC 9001, section 5.4). */
export interface HeaderMask {
  /** The mask of a sealed packet's sample, 16 bytes, valid until the next call of any. */
  of(packet: Packet): DataView
  wipe(): void
}

const MASK = new Uint8Array(MASK_BYTES)
const MASK_VIEW = new DataView(MASK.buffer)

/** By ChaCha20 (RFC 9001, section 5.4.4), under a key that it copies and wipes; the masks of one that is wiped are worth nothing. */
export class ChaChaMask implements HeaderMask {
  readonly #key: Uint8Array

  /** @throws RangeError when the key is not 32 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES)
      throw new RangeError(`a key of header protection has ${KEY_BYTES} bytes, got ${key.length}`)
    this.#key = new Uint8Array(key)
  }

  of({ view, sampleNonce }: Packet): DataView {
    MASK_VIEW.setFloat64(0, 0)
    MASK_VIEW.setFloat64(8, 0)
    chacha20Xor(MASK, sampleNonce, view.getUint32(SAMPLE_AT, true), this.#key)
    return MASK_VIEW
  }

  wipe(): void {
    wipe(this.#key)
  }
}
