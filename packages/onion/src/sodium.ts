import binding from 'sodium-native/binding.js'

export const KEY_BYTES = 32
export const NONCE_BYTES = 12
export const TAG_BYTES = 16

function check(name: string, length: number, expected: number): void {
  if (length !== expected) throw new RangeError(`${name} has ${length} bytes, expected ${expected}`)
}

/**
 * ChaCha20-Poly1305 (RFC 8439, section 2.8): writes ciphertext and tag of `plain` to `sealed`, which is 16 bytes longer and
 * may start at the same byte. @throws RangeError on a wrong length.
 */
export function aeadSeal(
  sealed: Uint8Array,
  plain: Uint8Array,
  additional: Uint8Array | undefined,
  nonce: Uint8Array,
  key: Uint8Array,
): void {
  check('sealed', sealed.length, plain.length + TAG_BYTES)
  check('nonce', nonce.length, NONCE_BYTES)
  check('key', key.length, KEY_BYTES)
  binding.crypto_aead_chacha20poly1305_ietf_encrypt(sealed, plain, additional, nonce, key)
}

/**
 * The inverse of {@link aeadSeal}: false, with `plain` zeroed, when the tag is wrong. @throws RangeError on a wrong length.
 */
export function aeadOpen(
  plain: Uint8Array,
  sealed: Uint8Array,
  additional: Uint8Array | undefined,
  nonce: Uint8Array,
  key: Uint8Array,
): boolean {
  check('sealed', sealed.length, plain.length + TAG_BYTES)
  check('nonce', nonce.length, NONCE_BYTES)
  check('key', key.length, KEY_BYTES)
  return binding.crypto_aead_chacha20poly1305_ietf_decrypt(plain, sealed, additional, nonce, key) === plain.length
}

/**
 * XORs the ChaCha20 keystream (RFC 8439, section 2.4) from block `blockCounter` on into `bytes`, in place.
 * @throws RangeError on a wrong length.
 */
export function chacha20Xor(bytes: Uint8Array, nonce: Uint8Array, blockCounter: number, key: Uint8Array): void {
  check('nonce', nonce.length, NONCE_BYTES)
  check('key', key.length, KEY_BYTES)
  binding.crypto_stream_chacha20_ietf_xor_ic(bytes, bytes, nonce, blockCounter, key)
}

/**
 * X25519 (RFC 7748, section 5). `undefined` when the result is all zeros (section 6.1): the public key is of low order.
 * @throws RangeError on a wrong length.
 */
export function x25519(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  check('secret key', secretKey.length, KEY_BYTES)
  check('public key', publicKey.length, KEY_BYTES)
  const shared = new Uint8Array(KEY_BYTES)
  return binding.crypto_scalarmult(shared, secretKey, publicKey) === 0 ? shared : undefined
}

/** The X25519 public key of a secret key. @throws RangeError on a wrong length. */
export function x25519PublicKey(secretKey: Uint8Array): Uint8Array {
  check('secret key', secretKey.length, KEY_BYTES)
  const publicKey = new Uint8Array(KEY_BYTES)
  binding.crypto_scalarmult_base(publicKey, secretKey)
  return publicKey
}

/**
 * BLAKE2b with a key (RFC 7693, section 2.9) of `bytes`, as long as `mac`: 16 to 64 bytes; the key too.
 * @throws RangeError on a wrong length.
 */
export function blake2bMac(mac: Uint8Array, bytes: Uint8Array, key: Uint8Array): void {
  for (const [name, { length }] of [
    ['MAC', mac],
    ['key', key],
  ] as const)
    if (length < 16 || length > 64) throw new RangeError(`${name} has ${length} bytes, expected 16 to 64`)
  binding.crypto_generichash(
    mac.buffer,
    mac.byteOffset,
    mac.length,
    bytes.buffer,
    bytes.byteOffset,
    bytes.length,
    key.buffer,
    key.byteOffset,
    key.length,
  )
}

/** Overwrites keys that are no longer needed. Earlier copies by the engine are out of reach; see docs/security.md. */
export function wipe(...keys: readonly Uint8Array[]): void {
  for (const key of keys) if (key.length > 0) binding.sodium_memzero(key)
}
