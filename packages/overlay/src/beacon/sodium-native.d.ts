/**
 * The functions of sodium-native's binding that the beacon calls; @weft/onion declares the others. The binding does not
 * check lengths in a way that a program survives, so only `group.ts` and `scalar.ts` call it.
 */
declare module 'sodium-native/binding.js' {
  export interface SodiumBinding {
    crypto_core_ed25519_is_valid_point(p: Uint8Array): boolean
    crypto_core_ed25519_add(sum: Uint8Array, p: Uint8Array, q: Uint8Array): number
    crypto_core_ed25519_sub(difference: Uint8Array, p: Uint8Array, q: Uint8Array): number
    crypto_scalarmult_ed25519_noclamp(product: Uint8Array, scalar: Uint8Array, p: Uint8Array): number
    crypto_scalarmult_ed25519_base_noclamp(product: Uint8Array, scalar: Uint8Array): number
    crypto_core_ed25519_scalar_reduce(reduced: Uint8Array, wide: Uint8Array): void
    crypto_core_ed25519_scalar_invert(inverse: Uint8Array, scalar: Uint8Array): void
    crypto_core_ed25519_scalar_add(sum: Uint8Array, x: Uint8Array, y: Uint8Array): void
    crypto_core_ed25519_scalar_sub(difference: Uint8Array, x: Uint8Array, y: Uint8Array): void
  }
}
