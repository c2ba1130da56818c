import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { PacketAead } from '../src/packet/aead.ts'
import type { Suites } from '../src/packet/suite.ts'

/** AES-256-GCM by node:crypto: what a machine with the instructions has, slowly. */
class NodeAes implements PacketAead {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    this.#key = key.slice()
  }

  seal(sealed: Uint8Array, plain: Uint8Array, additional: Uint8Array | undefined, nonce: Uint8Array): void {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce)
    if (additional !== undefined) cipher.setAAD(additional)
    sealed.set(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]))
  }

  open(plain: Uint8Array, sealed: Uint8Array, additional: Uint8Array | undefined, nonce: Uint8Array): boolean {
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce)
    if (additional !== undefined) decipher.setAAD(additional)
    decipher.setAuthTag(sealed.slice(-16))
    try {
      plain.set(Buffer.concat([decipher.update(sealed.slice(0, -16)), decipher.final()]))
      return true
    } catch {
      plain.fill(0)
      return false
    }
  }

  wipe(): void {
    this.#key.fill(0)
  }
}

export const WITH_AES: Suites = { aes256Gcm: (key) => new NodeAes(key) }
