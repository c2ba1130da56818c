import type { Random } from '@weft/core'
import binding from 'sodium-native/binding.js'

/**
 * Scalars: integers modulo the order of the group. A secret one is its 32 bytes, little-endian, and is only given to
 * libsodium, which computes in constant time; a public one is a bigint.
 */
export const SCALAR_BYTES = 32
/** Bytes that are reduced to one scalar: so many that no value is likelier than another by more than 2^-259. */
export const WIDE_BYTES = 64

/** The order of the group (RFC 8032, section 5.1). */
export const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

/** A uniform secret scalar. */
export function randomScalar(random: Random): Uint8Array {
  const wide = random.bytes(WIDE_BYTES)
  const scalar = reduceWide(wide)
  wide.fill(0)
  return scalar
}

/** 64 bytes, little-endian, modulo the order. */
export function reduceWide(wide: Uint8Array): Uint8Array {
  if (wide.length !== WIDE_BYTES) throw new RangeError(`scalar: ${wide.length} bytes to reduce, expected ${WIDE_BYTES}`)
  const scalar = new Uint8Array(SCALAR_BYTES)
  binding.crypto_core_ed25519_scalar_reduce(scalar, wide)
  return scalar
}

export function addScalars(a: Uint8Array, b: Uint8Array): Uint8Array {
  const sum = new Uint8Array(SCALAR_BYTES)
  binding.crypto_core_ed25519_scalar_add(sum, scalarOf(a), scalarOf(b))
  return sum
}

export function subtractScalars(a: Uint8Array, b: Uint8Array): Uint8Array {
  const difference = new Uint8Array(SCALAR_BYTES)
  binding.crypto_core_ed25519_scalar_sub(difference, scalarOf(a), scalarOf(b))
  return difference
}

/**
 * A secret scalar times a public integer, by doubling and adding: the binding has no product of scalars, and the steps
 * depend on the public factor alone.
 */
export function multiplyByPublic(secret: Uint8Array, factor: bigint): Uint8Array {
  const product = new Uint8Array(SCALAR_BYTES)
  for (const bit of mod(factor).toString(2)) {
    binding.crypto_core_ed25519_scalar_add(product, product, product)
    if (bit === '1') binding.crypto_core_ed25519_scalar_add(product, product, scalarOf(secret))
  }
  return product
}

/** The inverse of a public integer. @throws RangeError for zero */
export function invertPublic(value: bigint): bigint {
  if (mod(value) === 0n) throw new RangeError('scalar: zero has no inverse')
  const inverse = new Uint8Array(SCALAR_BYTES)
  binding.crypto_core_ed25519_scalar_invert(inverse, toScalar(value))
  return fromScalar(inverse)
}

/** Whether these bytes are the one encoding of a public scalar: below the order. */
export function isScalar(bytes: Uint8Array): boolean {
  return bytes.length === SCALAR_BYTES && fromScalar(bytes) < ORDER
}

/** The encoding of a public integer modulo the order. */
export function toScalar(value: bigint): Uint8Array {
  return Uint8Array.fromHex(
    mod(value)
      .toString(16)
      .padStart(SCALAR_BYTES * 2, '0'),
  ).reverse()
}

/** The integer of a public scalar. */
export function fromScalar(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytes.toReversed().toHex()}`)
}

export function mod(value: bigint): bigint {
  const remainder = value % ORDER
  return remainder < 0n ? remainder + ORDER : remainder
}

function scalarOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== SCALAR_BYTES) throw new RangeError(`scalar: ${bytes.length} bytes, expected ${SCALAR_BYTES}`)
  return bytes
}
