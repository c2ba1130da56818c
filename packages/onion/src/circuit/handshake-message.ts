import { concatBytes } from '@weft/core'
import { KEM_CIPHERTEXT_BYTES, KEM_KEY_BYTES } from '../ml-kem.ts'
import { KEY_BYTES } from '../sodium.ts'

/** A hop's onion key is named by its first eight bytes. */
export const KEY_ID_BYTES = 8
const FIRST_FIXED = KEY_BYTES + KEY_ID_BYTES + KEY_BYTES + KEM_KEY_BYTES + 1
const SECOND_FIXED = KEY_BYTES + KEM_CIPHERTEXT_BYTES + KEY_BYTES + 1

/** First message of the circuit handshake, client to hop. */
export interface FirstMessage {
  readonly nodeId: Uint8Array
  readonly keyId: Uint8Array
  readonly clientKey: Uint8Array
  readonly kemKey: Uint8Array
  /** 0 to 255 bytes. */
  readonly encrypted: Uint8Array
  readonly mac: Uint8Array
}

/** Second message, hop to client. */
export interface SecondMessage {
  readonly serverKey: Uint8Array
  readonly kemCiphertext: Uint8Array
  readonly auth: Uint8Array
  /** 0 to 255 bytes. */
  readonly encrypted: Uint8Array
}

export function encodeFirstMessage(message: FirstMessage): Uint8Array {
  const { nodeId, keyId, clientKey, kemKey, encrypted, mac } = message
  return concatBytes([nodeId, keyId, clientKey, kemKey, Uint8Array.of(encrypted.length), encrypted, mac])
}

/** Views into `bytes`; undefined unless the length is exactly that of its parts. */
export function decodeFirstMessage(bytes: Uint8Array): FirstMessage | undefined {
  const length = bytes[FIRST_FIXED - 1]
  if (length === undefined || bytes.length !== FIRST_FIXED + length + KEY_BYTES) return undefined
  return {
    nodeId: bytes.subarray(0, 32),
    keyId: bytes.subarray(32, 40),
    clientKey: bytes.subarray(40, 72),
    kemKey: bytes.subarray(72, 72 + KEM_KEY_BYTES),
    encrypted: bytes.subarray(FIRST_FIXED, FIRST_FIXED + length),
    mac: bytes.subarray(FIRST_FIXED + length),
  }
}

export function encodeSecondMessage(message: SecondMessage): Uint8Array {
  const { serverKey, kemCiphertext, auth, encrypted } = message
  return concatBytes([serverKey, kemCiphertext, auth, Uint8Array.of(encrypted.length), encrypted])
}

/** Views into `bytes`; undefined unless the length is exactly that of its parts. */
export function decodeSecondMessage(bytes: Uint8Array): SecondMessage | undefined {
  const length = bytes[SECOND_FIXED - 1]
  if (length === undefined || bytes.length !== SECOND_FIXED + length) return undefined
  return {
    serverKey: bytes.subarray(0, 32),
    kemCiphertext: bytes.subarray(32, 32 + KEM_CIPHERTEXT_BYTES),
    auth: bytes.subarray(32 + KEM_CIPHERTEXT_BYTES, 64 + KEM_CIPHERTEXT_BYTES),
    encrypted: bytes.subarray(SECOND_FIXED),
  }
}
