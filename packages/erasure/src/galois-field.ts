/** x^8 + x^4 + x^3 + x^2 + 1, the primitive polynomial of GF(2^8) that ISA-L and most Reed–Solomon codes use. */
const POLYNOMIAL = 0x11d

/** The multiplicative group of GF(2^8) has 255 elements; 2 generates it. */
const GROUP_ORDER = 255

// The exponents are stored twice over, so that a sum of two logarithms needs no reduction modulo 255.
const exponents = new Uint8Array(2 * GROUP_ORDER)
const logarithms = new Uint8Array(256)
for (let power = 0, value = 1; power < GROUP_ORDER; power++) {
  exponents[power] = value
  exponents[power + GROUP_ORDER] = value
  logarithms[value] = power
  value <<= 1
  if (value > 0xff) value ^= POLYNOMIAL
}

/** The product of two elements of GF(2^8), each 0 to 255. */
export function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0
  return exponents[(logarithms[a] as number) + (logarithms[b] as number)] as number
}

/** The element whose product with `a` is 1. @throws RangeError for 0, which has none, and outside 1 to 255. */
export function inverse(a: number): number {
  if (!Number.isInteger(a) || a < 1 || a > 255) throw new RangeError(`GF(2^8): ${a} has no inverse`)
  return exponents[GROUP_ORDER - (logarithms[a] as number)] as number
}
