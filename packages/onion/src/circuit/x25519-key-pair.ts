import { type Random } from '@weft/core'
import { x25519PublicKey } from '../sodium.ts'

/** A key pair of X25519 (RFC 7748). */
export interface X25519KeyPair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

/** A key pair from 32 random bytes; the scalar is clamped on use. */
export function generateX25519(random: Random): X25519KeyPair {
  const secretKey = random.bytes(32)
  return { publicKey: x25519PublicKey(secretKey), secretKey }
}
