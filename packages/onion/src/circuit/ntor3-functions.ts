import { createCipheriv, createHash } from 'node:crypto'
import { utf8 } from '@weft/core'
import { KEY_BYTES } from '../sodium.ts'

const ZERO_COUNTER = new Uint8Array(16)

/** len(s) ‖ s, the length as 8 bytes: what Tor's ntor-v3 calls ENCAP. */
export function withLength(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(8 + bytes.length)
  out.set(lengthOf(bytes))
  out.set(bytes, 8)
  return out
}

function lengthOf(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(bytes.length))
  return out
}

/** H(s, t) = SHA3-256(len(t) ‖ t ‖ s); `parts` together are s. */
export function taggedHash(parts: readonly Uint8Array[], tag: string): Uint8Array {
  const hash = createHash('sha3-256').update(withLength(utf8(tag)))
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** MAC(k, s, t) = SHA3-256(len(t) ‖ t ‖ len(k) ‖ k ‖ s); `parts` together are s. */
export function taggedMac(key: Uint8Array, parts: readonly Uint8Array[], tag: string): Uint8Array {
  // Not `withLength`: nobody would wipe that copy of the key.
  return taggedHash([lengthOf(key), key, ...parts], tag)
}

/** KDF(s, t) = SHAKE256(len(t) ‖ t ‖ s), `count` keys of 32 bytes; `parts` together are s. */
export function deriveKeys(parts: readonly Uint8Array[], tag: string, count: number): Uint8Array[] {
  const hash = createHash('shake256', { outputLength: KEY_BYTES * count }).update(withLength(utf8(tag)))
  for (const part of parts) hash.update(part)
  const stream = hash.digest()
  const keys = Array.from({ length: count }, (_, i) =>
    Uint8Array.prototype.slice.call(stream, i * KEY_BYTES, (i + 1) * KEY_BYTES),
  )
  stream.fill(0)
  return keys
}

/** ENC(k, m) = m XOR AES-256-CTR(k, zero counter); its own inverse. The key must be used for one message only. */
export function encryptOnce(key: Uint8Array, message: Uint8Array): Uint8Array {
  return createCipheriv('aes-256-ctr', key, ZERO_COUNTER).update(message)
}
