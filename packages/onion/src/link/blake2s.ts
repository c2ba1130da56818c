import { createHash, createHmac } from 'node:crypto'

export const HASH_BYTES = 32

/** BLAKE2s-256 without a key (RFC 7693) of the parts in order. */
export function blake2s(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('blake2s256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

/** HMAC (RFC 2104) over BLAKE2s-256, as Noise asks for (revision 34, section 4.3): not BLAKE2's own keyed mode. */
export function hmacBlake2s(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('blake2s256', key)
  for (const part of parts) hmac.update(part)
  // The digest's own memory: a copy of it could be wiped, and the secret would still stand here.
  const digest = hmac.digest()
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.length)
}

const FIRST_BLOCK = Uint8Array.of(1)

/** HKDF-Expand (RFC 5869, section 2.3) over HMAC-BLAKE2s, for one block: 32 bytes. */
export function expandKey(key: Uint8Array, info: Uint8Array): Uint8Array {
  return hmacBlake2s(key, info, FIRST_BLOCK)
}
