import { createHash, hash as hashAtOnce, hkdfSync, timingSafeEqual } from 'node:crypto'
import { utf8 } from '@weft/core'

/** SHA-256 (FIPS 180-4) over the parts in order, without joining them. 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return plainBytes(hashAtOnce('sha256', only, 'buffer'))
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return plainBytes(hash.digest())
}

/** The same bytes without what a Node Buffer adds, not copied: a digest has its memory to itself. */
function plainBytes({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** HKDF-SHA-256 (RFC 5869). `info` separates the uses of one key and is always given. */
export function hkdf(key: Uint8Array, salt: Uint8Array, info: string | Uint8Array, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, typeof info === 'string' ? utf8(info) : info, length))
}

/** Compares secrets and tags in time that depends on the lengths only. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Overwrites a key that is no longer needed. JavaScript may have copied it before; see docs/security.md. */
export function wipe(...keys: readonly Uint8Array[]): void {
  for (const key of keys) key.fill(0)
}
