import type { KeyObject } from 'node:crypto'
import { type Random, concatBytes } from '@weft/core'
import type { X25519KeyPair } from '@weft/crypto'
import {
  KEM_CIPHERTEXT_BYTES,
  KEM_KEY_BYTES,
  type KemKeyPair,
  type KemResult,
  generateKemKeyPair,
  kemDecapsulate,
  kemEncapsulate,
} from '../../ml-kem.ts'
import { KEY_BYTES, TAG_BYTES, wipe, x25519 } from '../../sodium.ts'
import { generateX25519 } from '../../x25519.ts'
import type { NoisePattern, NoiseToken } from './pattern.ts'
import { SymmetricState } from './symmetric-state.ts'

/** ML-KEM-768; another one only in tests, which need the same bytes twice. */
export interface Kem {
  generate(): KemKeyPair
  encapsulate(publicKey: Uint8Array): KemResult | undefined
  decapsulate(secretKey: KeyObject, ciphertext: Uint8Array): Uint8Array
}

const ML_KEM_768: Kem = { generate: generateKemKeyPair, encapsulate: kemEncapsulate, decapsulate: kemDecapsulate }

export interface NoiseHandshakeOptions {
  readonly pattern: NoisePattern
  readonly initiator: boolean
  readonly prologue: Uint8Array
  /** Static key of this side. */
  readonly keys: X25519KeyPair
  /** The responder's static key; given by the initiator. */
  readonly responderKey: Uint8Array
  /** Source of the ephemeral X25519 key. */
  readonly random: Random
  readonly kem?: Kem
}

/** HandshakeState (Noise, revision 34, section 5.3) for patterns of two messages whose responder is known beforehand. */
export class NoiseHandshake {
  readonly #pattern: NoisePattern
  readonly #initiator: boolean
  #symmetric: SymmetricState
  readonly #random: Random
  readonly #kem: Kem
  readonly #static: X25519KeyPair
  #ephemeral: X25519KeyPair | undefined
  #kemSecret: KeyObject | undefined
  #remoteStatic: Uint8Array | undefined
  #remoteEphemeral: Uint8Array | undefined
  #remoteKemKey: Uint8Array | undefined
  #next = 0

  constructor(options: NoiseHandshakeOptions) {
    this.#pattern = options.pattern
    this.#initiator = options.initiator
    this.#random = options.random
    this.#kem = options.kem ?? ML_KEM_768
    this.#static = options.keys
    this.#symmetric = new SymmetricState(options.pattern.name)
    this.#symmetric.mixHash(options.prologue)
    this.#symmetric.mixHash(options.responderKey)
    if (options.initiator) this.#remoteStatic = options.responderKey
  }

  /** Handshake hash h so far. */
  get hash(): Uint8Array {
    return this.#symmetric.hash
  }

  /** Static key of the other side; the responder knows it once it has read the first message. */
  get remoteStatic(): Uint8Array | undefined {
    return this.#remoteStatic
  }

  /** The next message, or undefined when a key of the other side is not fit to be used: the handshake is over then. */
  writeMessage(payload: Uint8Array): Uint8Array | undefined {
    const parts: Uint8Array[] = []
    for (const token of this.#tokens()) {
      const part = this.#write(token)
      if (part === undefined) return undefined
      parts.push(part)
    }
    parts.push(this.#symmetric.encryptAndHash(payload))
    return concatBytes(parts)
  }

  /**
   * The payload of the other side's next message, or undefined when it is not authentic. Then the state is as it was: whoever
   * can send a false message must not be able to end a handshake by it.
   */
  readMessage(message: Uint8Array): Uint8Array | undefined {
    const before = this.#symmetric.clone()
    const payload = this.#readParts(message)
    if (payload === undefined) {
      this.#symmetric.wipe()
      this.#symmetric = before
      this.#next--
    } else before.wipe()
    return payload
  }

  /** Keys of the initiator's and the responder's direction, after the second message. */
  split(): [Uint8Array, Uint8Array] {
    const keys = this.#symmetric.split()
    this.wipe()
    return keys
  }

  /** Forgets the secrets of this handshake; the static key belongs to the caller. */
  wipe(): void {
    this.#symmetric.wipe()
    if (this.#ephemeral !== undefined) wipe(this.#ephemeral.secretKey)
    this.#kemSecret = undefined
  }

  #readParts(message: Uint8Array): Uint8Array | undefined {
    let at = 0
    for (const token of this.#tokens()) {
      const length = readLength(token)
      if (at + length + TAG_BYTES > message.length) return undefined
      if (!this.#read(token, message.subarray(at, at + length))) return undefined
      at += length
    }
    return this.#symmetric.decryptAndHash(message.subarray(at))
  }

  #tokens(): readonly NoiseToken[] {
    const tokens = this.#pattern.messages[this.#next]
    if (tokens === undefined) throw new RangeError('Noise: the handshake is complete')
    this.#next++
    return tokens
  }

  #write(token: NoiseToken): Uint8Array | undefined {
    switch (token) {
      case 'e':
        this.#ephemeral = generateX25519(this.#random)
        this.#symmetric.mixHash(this.#ephemeral.publicKey)
        return this.#ephemeral.publicKey
      case 's':
        return this.#symmetric.encryptAndHash(this.#static.publicKey)
      case 'e1': {
        const keys = this.#kem.generate()
        this.#kemSecret = keys.secretKey
        return this.#symmetric.encryptAndHash(keys.publicKey)
      }
      case 'ekem1': {
        const result = this.#remoteKemKey && this.#kem.encapsulate(this.#remoteKemKey)
        if (result === undefined) return undefined
        const sealed = this.#symmetric.encryptAndHash(result.ciphertext)
        this.#symmetric.mixKey(result.sharedKey)
        return sealed
      }
      case 'ee':
      case 'es':
      case 'se':
      case 'ss':
        return this.#mixShared(token) ? NOTHING : undefined
    }
  }

  #read(token: NoiseToken, bytes: Uint8Array): boolean {
    switch (token) {
      case 'e':
        this.#remoteEphemeral = bytes.slice()
        this.#symmetric.mixHash(this.#remoteEphemeral)
        return true
      case 's':
        this.#remoteStatic = this.#symmetric.decryptAndHash(bytes)
        return this.#remoteStatic !== undefined
      case 'e1':
        this.#remoteKemKey = this.#symmetric.decryptAndHash(bytes)
        return this.#remoteKemKey !== undefined
      case 'ekem1': {
        const ciphertext = this.#symmetric.decryptAndHash(bytes)
        if (ciphertext === undefined || this.#kemSecret === undefined) return false
        this.#symmetric.mixKey(this.#kem.decapsulate(this.#kemSecret, ciphertext))
        return true
      }
      case 'ee':
      case 'es':
      case 'se':
      case 'ss':
        return this.#mixShared(token)
    }
  }

  /** The token's first letter names the initiator's key, its second the responder's. */
  #mixShared(token: 'ee' | 'es' | 'se' | 'ss'): boolean {
    const own = this.#initiator ? token[0] : token[1]
    const other = this.#initiator ? token[1] : token[0]
    const secretKey = own === 'e' ? this.#ephemeral?.secretKey : this.#static.secretKey
    const publicKey = other === 'e' ? this.#remoteEphemeral : this.#remoteStatic
    if (secretKey === undefined || publicKey === undefined) throw new RangeError(`Noise: ${token} before its keys`)
    const shared = x25519(secretKey, publicKey)
    if (shared === undefined) return false
    this.#symmetric.mixKey(shared)
    return true
  }
}

const NOTHING = new Uint8Array(0)

/** Bytes of a token in a message. Each `s`, `e1` and `ekem1` of these patterns comes after a key, so it carries a tag. */
function readLength(token: NoiseToken): number {
  switch (token) {
    case 'e':
      return KEY_BYTES
    case 's':
      return KEY_BYTES + TAG_BYTES
    case 'e1':
      return KEM_KEY_BYTES + TAG_BYTES
    case 'ekem1':
      return KEM_CIPHERTEXT_BYTES + TAG_BYTES
    case 'ee':
    case 'es':
    case 'se':
    case 'ss':
      return 0
  }
}
