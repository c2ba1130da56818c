/** A whole number in the shortest form of CBOR (RFC 8949, section 4.2.1). @param value 0 to 2^53 - 1 */
export function cborUnsigned(value: number): Uint8Array {
  if (value < 24) return Uint8Array.of(value)
  const length = value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : value < 2 ** 32 ? 4 : 8
  const out = new Uint8Array(1 + length)
  out[0] = 24 + Math.log2(length)
  let rest = value
  for (let at = length; at > 0; at--) {
    out[at] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return out
}
