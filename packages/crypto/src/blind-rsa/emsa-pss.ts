import { createHash } from 'node:crypto'
import { concatBytes } from '@weft/core'
import { wipe } from '../hash.ts'

/** Bytes of a SHA-384 digest, and of the salt beside it. */
const DIGEST_BYTES = 48
export const SALT_BYTES = 48

/**
 * EMSA-PSS-ENCODE (RFC 8017, section 9.1.1) with SHA-384, MGF1 over SHA-384 and a salt of 48 bytes, as RFC 9474 fixes them. There to be blinded only:
 * what is verified OpenSSL verifies.
 * @param bits of the encoded message: one less than the modulus has
 */
export function encodePss(message: Uint8Array, bits: number, salt: Uint8Array): Uint8Array {
  const length = Math.ceil(bits / 8)
  if (salt.length !== SALT_BYTES || length < DIGEST_BYTES + SALT_BYTES + 2)
    throw new RangeError('EMSA-PSS: the salt has another length, or the modulus is too short')
  const digest = sha384(new Uint8Array(8), sha384(message), salt)
  const block = new Uint8Array(length - DIGEST_BYTES - 1)
  block[block.length - SALT_BYTES - 1] = 1
  block.set(salt, block.length - SALT_BYTES)
  const mask = mgf1(digest, block.length)
  for (let at = 0; at < block.length; at++) block[at] = (block[at] as number) ^ (mask[at] as number)
  block[0] = (block[0] as number) & (0xff >> (8 * length - bits))
  const encoded = concatBytes([block, digest, Uint8Array.of(0xbc)])
  wipe(block, mask)
  return encoded
}

/** RFC 8017, appendix B.2.1. */
function mgf1(seed: Uint8Array, length: number): Uint8Array {
  const mask = new Uint8Array(Math.ceil(length / DIGEST_BYTES) * DIGEST_BYTES)
  for (let block = 0; block * DIGEST_BYTES < length; block++)
    mask.set(sha384(seed, Uint8Array.of(block >>> 24, block >>> 16, block >>> 8, block)), block * DIGEST_BYTES)
  return mask.subarray(0, length)
}

function sha384(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha384')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
