/** GF(2^8) and the code bit by bit, from docs/specs/erasure.md alone: shares nothing with the package. */

/** Product by shift and add, reduced by 0x11d. */
export function slowMultiply(a: number, b: number): number {
  let product = 0
  for (let bit = 7; bit >= 0; bit--) {
    product <<= 1
    if (product & 0x100) product ^= 0x11d
    if ((b >> bit) & 1) product ^= a
  }
  return product
}

/** Inverse by trying all elements. */
export function slowInverse(a: number): number {
  for (let b = 1; b < 256; b++) if (slowMultiply(a, b) === 1) return b
  throw new Error(`${a} has no inverse`)
}

const products = Array.from({ length: 256 }, (_, a) => Uint8Array.from({ length: 256 }, (__, b) => slowMultiply(a, b)))
const inverses = Array.from({ length: 256 }, (_, a) => (a === 0 ? 0 : slowInverse(a)))

export function slowEncode(k: number, n: number, data: readonly Uint8Array[]): Uint8Array[] {
  return Array.from({ length: n - k }, (_, row) => {
    const parity = new Uint8Array(data[0]!.length)
    for (let column = 0; column < k; column++) {
      const product = products[inverses[(k + row) ^ column]!]!
      for (let i = 0; i < parity.length; i++) parity[i]! ^= product[data[column]![i]!]!
    }
    return parity
  })
}
