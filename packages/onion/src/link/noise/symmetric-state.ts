import { utf8 } from '@weft/core'
import { KEY_BYTES, NONCE_BYTES, TAG_BYTES, aeadOpen, aeadSeal, wipe } from '../../sodium.ts'
import { HASH_BYTES, blake2s, hmacBlake2s } from '../blake2s.ts'

const ONE = Uint8Array.of(1)
const TWO = Uint8Array.of(2)
const EMPTY = new Uint8Array(0)

/** SymmetricState and its CipherState (Noise, revision 34, sections 5.1 and 5.2) of ChaChaPoly and BLAKE2s. */
export class SymmetricState {
  #chainingKey: Uint8Array
  #hash: Uint8Array
  #key: Uint8Array | undefined
  readonly #nonce = new Uint8Array(NONCE_BYTES)
  readonly #nonceView = new DataView(this.#nonce.buffer)
  #count = 0

  constructor(protocolName: string) {
    const name = utf8(protocolName)
    this.#hash = new Uint8Array(HASH_BYTES)
    if (name.length <= HASH_BYTES) this.#hash.set(name)
    else this.#hash = blake2s(name)
    this.#chainingKey = this.#hash.slice()
  }

  /** h, the hash of all that both sides have seen: GetHandshakeHash(). */
  get hash(): Uint8Array {
    return this.#hash
  }

  mixHash(data: Uint8Array): void {
    this.#hash = blake2s(this.#hash, data)
  }

  /** Mixes a secret in and wipes it. */
  mixKey(secret: Uint8Array): void {
    const [chainingKey, key] = this.#hkdf(secret)
    wipe(secret, this.#chainingKey)
    if (this.#key !== undefined) wipe(this.#key)
    this.#chainingKey = chainingKey
    this.#key = key
    this.#count = 0
  }

  /** EncryptAndHash. Every token of IK that it is called for comes after a MixKey. */
  encryptAndHash(plain: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plain.length + TAG_BYTES)
    aeadSeal(sealed, plain, this.#hash, this.#nextNonce(), this.#cipherKey())
    this.mixHash(sealed)
    return sealed
  }

  /** DecryptAndHash; undefined when it is not authentic. @param sealed of 16 bytes or more. */
  decryptAndHash(sealed: Uint8Array): Uint8Array | undefined {
    const plain = new Uint8Array(sealed.length - TAG_BYTES)
    if (!aeadOpen(plain, sealed, this.#hash, this.#nextNonce(), this.#cipherKey())) return undefined
    this.mixHash(sealed)
    return plain
  }

  /** Split(): keys of the initiator's and of the responder's direction. Ends this state. */
  split(): [Uint8Array, Uint8Array] {
    const keys = this.#hkdf(EMPTY)
    this.wipe()
    return keys
  }

  /** A copy that goes its own way. */
  clone(): SymmetricState {
    const copy = new SymmetricState('')
    copy.#chainingKey = this.#chainingKey.slice()
    copy.#hash = this.#hash.slice()
    copy.#key = this.#key?.slice()
    copy.#count = this.#count
    return copy
  }

  wipe(): void {
    wipe(this.#chainingKey)
    if (this.#key !== undefined) wipe(this.#key)
  }

  #cipherKey(): Uint8Array {
    if (this.#key === undefined || this.#key.length !== KEY_BYTES)
      throw new RangeError('Noise: a payload before the first key')
    return this.#key
  }

  /** 4 zero bytes and the count, little-endian (section 12.3). A handshake message uses it a few times at most. */
  #nextNonce(): Uint8Array {
    this.#nonceView.setUint32(4, this.#count++, true)
    return this.#nonce
  }

  /** HKDF with two outputs (section 4.3). */
  #hkdf(material: Uint8Array): [Uint8Array, Uint8Array] {
    const temporary = hmacBlake2s(this.#chainingKey, material)
    const first = hmacBlake2s(temporary, ONE)
    const second = hmacBlake2s(temporary, first, TWO)
    wipe(temporary)
    return [first, second]
  }
}
