import { createPublicKey, decapsulate, encapsulate, generateKeyPairSync, type KeyObject } from 'node:crypto'

/** Sizes of ML-KEM-768 (FIPS 203, table 3). */
export const KEM_KEY_BYTES = 1184
export const KEM_CIPHERTEXT_BYTES = 1088

/** A client's key of one handshake; `secretKey` stays inside OpenSSL and is freed with the object. */
export interface KemKeyPair {
  readonly publicKey: Uint8Array
  readonly secretKey: KeyObject
}

export interface KemResult {
  readonly ciphertext: Uint8Array
  readonly sharedKey: Uint8Array
}

export function generateKemKeyPair(): KemKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ml-kem-768')
  return { publicKey: publicKey.export({ format: 'raw-public' }), secretKey: privateKey }
}

/** A fresh secret for the holder of `publicKey`; undefined when the key fails FIPS 203's check (section 7.2). */
export function kemEncapsulate(publicKey: Uint8Array): KemResult | undefined {
  let key: KeyObject
  try {
    key = createPublicKey({ key: Buffer.from(publicKey), format: 'raw-public', asymmetricKeyType: 'ml-kem-768' })
  } catch {
    return undefined // OpenSSL checks length and modulus on import
  }
  const { ciphertext, sharedKey } = encapsulate(key)
  return { ciphertext, sharedKey }
}

/** The secret in a ciphertext of 1088 bytes; of a wrong one, a secret that nobody else has (FIPS 203, section 6.3). */
export function kemDecapsulate(secretKey: KeyObject, ciphertext: Uint8Array): Uint8Array {
  return decapsulate(secretKey, ciphertext)
}
