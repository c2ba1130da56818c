import { createCipheriv, createDecipheriv } from 'node:crypto'
import { WeftError } from '@weft/core'
import { TAG_SIZE } from './object-layout.ts'
import type { ObjectKeys } from './object-keys.ts'

/** A frame as it is written: its ciphertext, then its tag. */
export interface SealedFrame {
  /** In a buffer of its own. */
  readonly ciphertext: Uint8Array<ArrayBuffer>
  /** 16 bytes. */
  readonly tag: Uint8Array
}

/**
 * The STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár 2015) over AES-256-GCM: the nonce of a frame is
 * prefix (7 bytes) || counter (4 bytes, big-endian) || 1 for the last frame, else 0. A frame that was moved, repeated,
 * dropped or cut off fails, since its counter or its last-flag does not fit its place.
 */
export class FrameCipher {
  readonly #key: Uint8Array
  readonly #nonce = new Uint8Array(12)
  readonly #view = new DataView(this.#nonce.buffer)

  constructor({ frameKey, noncePrefix }: Pick<ObjectKeys, 'frameKey' | 'noncePrefix'>) {
    this.#key = frameKey
    this.#nonce.set(noncePrefix)
  }

  seal(counter: number, last: boolean, plaintext: Uint8Array): SealedFrame {
    const cipher = createCipheriv('aes-256-gcm', this.#key, this.#nonceOf(counter, last))
    const ciphertext = cipher.update(plaintext)
    cipher.final()
    return { ciphertext, tag: cipher.getAuthTag() }
  }

  /** The plaintext, authenticated, in a buffer of its own. @throws WeftError E_OBJECT_KEY */
  open(counter: number, last: boolean, frame: Uint8Array): Uint8Array<ArrayBuffer> {
    const end = frame.length - TAG_SIZE
    if (end < 0) throw wrongFrame(counter)
    const decipher = createDecipheriv('aes-256-gcm', this.#key, this.#nonceOf(counter, last), {
      authTagLength: TAG_SIZE,
    })
    decipher.setAuthTag(frame.subarray(end))
    const plaintext = decipher.update(frame.subarray(0, end))
    try {
      decipher.final()
    } catch {
      throw wrongFrame(counter)
    }
    return plaintext
  }

  #nonceOf(counter: number, last: boolean): Uint8Array {
    this.#view.setUint32(7, counter)
    this.#nonce[11] = last ? 1 : 0
    return this.#nonce
  }
}

function wrongFrame(counter: number): WeftError {
  return new WeftError({
    code: 'E_OBJECT_KEY',
    cause: `Frame ${counter} does not open: the key in the reference is not the key of this object, or its owner sealed it wrongly.`,
    fix: 'Copy the reference whole, with everything behind the #.',
    details: { frame: counter },
  })
}
