/** OS2IP (RFC 8017, section 4.2). */
export function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytes.toHex()}`)
}

/** I2OSP (RFC 8017, section 4.1). @throws RangeError when the number needs more bytes */
export function toBytes(number: bigint, length: number): Uint8Array {
  const hex = number.toString(16).padStart(2 * length, '0')
  if (hex.length > 2 * length) throw new RangeError(`I2OSP: the number does not fit into ${length} bytes`)
  return Uint8Array.fromHex(hex)
}

/** The inverse of a number modulo `modulus` (extended Euclid); undefined where they have a common factor. Its time tells about the number. */
export function inverseOf(number: bigint, modulus: bigint): bigint | undefined {
  let [before, rest] = [modulus, number % modulus]
  let [last, inverse] = [0n, 1n]
  while (rest !== 0n) {
    const quotient = before / rest
    ;[before, rest] = [rest, before - quotient * rest]
    ;[last, inverse] = [inverse, last - quotient * inverse]
  }
  if (before !== 1n) return undefined
  return last < 0n ? last + modulus : last
}
