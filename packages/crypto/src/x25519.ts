import { createPrivateKey, createPublicKey } from 'node:crypto'
import { concatBytes } from '@weft/core'

/** A key pair for X25519 (RFC 7748): what two sides derive a shared secret from. It signs nothing. */
export interface X25519KeyPair {
  /** 32 bytes: the u-coordinate. */
  readonly publicKey: Uint8Array
  /** 32 bytes, as they were drawn: X25519 itself clamps them. Wipe it after use. */
  readonly secretKey: Uint8Array
}

// RFC 8410, section 7: the fixed DER prefix around the 32 raw key bytes, with the OID of X25519.
const PKCS8_PREFIX = Uint8Array.fromHex('302e020100300506032b656e04220420')

/** @param secretKey 32 secret bytes, which the pair then owns. */
export function x25519KeyPair(secretKey: Uint8Array): X25519KeyPair {
  if (secretKey.length !== 32) throw new RangeError(`X25519: a secret key has 32 bytes, got ${secretKey.length}`)
  // The same memory, so that no second copy is left behind.
  const der = Buffer.from(concatBytes([PKCS8_PREFIX, secretKey]).buffer)
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  der.fill(0)
  const spki = key.export({ format: 'der', type: 'spki' })
  return { publicKey: new Uint8Array(spki.subarray(spki.length - 32)), secretKey }
}
