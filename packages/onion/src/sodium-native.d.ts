/**
 * The functions of sodium-native's binding that this package calls. The binding itself, not the package's front: the front
 * reports a wrong tag by a thrown error, whose stack trace costs more than the rest of the packet. The binding does not
 * check lengths in a way that a program survives, so only `sodium.ts` calls it.
 */
declare module 'sodium-native/binding.js' {
  export interface SodiumBinding {
    crypto_aead_chacha20poly1305_ietf_encrypt(
      sealed: Uint8Array,
      plain: Uint8Array,
      additional: Uint8Array | undefined,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number
    crypto_aead_chacha20poly1305_ietf_decrypt(
      plain: Uint8Array,
      sealed: Uint8Array,
      additional: Uint8Array | undefined,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number
    crypto_stream_chacha20_ietf_xor_ic(
      out: Uint8Array,
      input: Uint8Array,
      nonce: Uint8Array,
      blockCounter: number,
      key: Uint8Array,
    ): number
    /** Each of the three as buffer, offset and length; 0 when it went well. */
    crypto_generichash(
      out: ArrayBufferLike,
      outAt: number,
      outLength: number,
      input: ArrayBufferLike,
      inputAt: number,
      inputLength: number,
      key: ArrayBufferLike,
      keyAt: number,
      keyLength: number,
    ): number
    crypto_scalarmult(shared: Uint8Array, secretKey: Uint8Array, publicKey: Uint8Array): number
    crypto_scalarmult_base(publicKey: Uint8Array, secretKey: Uint8Array): number
    sodium_memzero(bytes: Uint8Array): void
  }
  const binding: SodiumBinding
  export default binding
}
