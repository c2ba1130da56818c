import { createCipheriv, createDecipheriv } from 'node:crypto'
import { keyWiped } from '../src/packet/aead.ts'
import type { HeaderMask } from '../src/packet/header-mask.ts'
import type { PacketAead } from '../src/packet/packet-aead.ts'
import type { Packet } from '../src/packet/packet.ts'
import type { Span } from '../src/packet/span.ts'
import type { Suites } from '../src/packet/suite.ts'

/** AES-256 by node:crypto: what a machine with the instructions has, slowly. */
class NodeAes implements PacketAead {
  readonly nonce = new DataView(new ArrayBuffer(12))
  readonly #key: Uint8Array
  #wiped = false

  constructor(key: Uint8Array) {
    this.#key = key.slice()
  }

  seal(to: Packet, from: Packet, span: Span): void {
    if (this.#wiped) throw keyWiped()
    const cipher = createCipheriv('aes-256-gcm', this.#key, this.nonce)
    if (span.tail > 0) cipher.setAAD(to.bytes.subarray(-span.tail))
    to.sealedOf(span).set(Buffer.concat([cipher.update(from.plainOf(span)), cipher.final(), cipher.getAuthTag()]))
  }

  open(to: Packet, from: Packet, span: Span): boolean {
    if (this.#wiped) return false
    const decipher = createDecipheriv('aes-256-gcm', this.#key, this.nonce)
    if (span.tail > 0) decipher.setAAD(from.bytes.subarray(-span.tail))
    const sealed = from.sealedOf(span)
    decipher.setAuthTag(sealed.slice(-16))
    const plain = to.plainOf(span)
    try {
      plain.set(Buffer.concat([decipher.update(sealed.slice(0, -16)), decipher.final()]))
      return true
    } catch {
      plain.fill(0)
      return false
    }
  }

  wipe(): void {
    this.#wiped = true
    this.#key.fill(0)
  }
}

class NodeAesMask implements HeaderMask {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    this.#key = key.slice()
  }

  of({ bytes }: Packet): DataView {
    const block = createCipheriv('aes-256-ecb', this.#key, null).setAutoPadding(false).update(bytes.subarray(20, 36))
    return new DataView(block.buffer, block.byteOffset)
  }

  wipe(): void {
    this.#key.fill(0)
  }
}

export const WITH_AES: Suites = {
  aes256: { gcm: (key) => new NodeAes(key), mask: (key) => new NodeAesMask(key) },
}
