import type { Random } from '@weft/core'
import type { X25519KeyPair } from '@weft/crypto'
import { KEY_BYTES, x25519PublicKey } from './sodium.ts'

/** A key pair from 32 random bytes; X25519 itself clamps the scalar. */
export function generateX25519(random: Random): X25519KeyPair {
  const secretKey = random.bytes(KEY_BYTES)
  return { publicKey: x25519PublicKey(secretKey), secretKey }
}
