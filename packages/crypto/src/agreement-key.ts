/** The field of Curve25519. */
const P = 2n ** 255n - 19n

/**
 * The X25519 key that belongs to an Ed25519 key: the same point on the Montgomery curve, u = (1 + y) / (1 - y) (RFC 7748,
 * section 4.1). That one pair serves both for signatures and for DHKEM(X25519) is proven sound by Thormarker (eprint
 * 2021/509). Undefined for bytes that are no canonical point, or that agree on zero with everybody.
 */
export function agreementKeyOf(publicKey: Uint8Array): Uint8Array | undefined {
  if (publicKey.length !== 32) return undefined
  const little = publicKey.toReversed()
  little[0] = (little[0] as number) & 127
  const y = BigInt(`0x${little.toHex()}`)
  if (y >= P || y === 1n || y === P - 1n) return undefined
  const u = ((1n + y) * power(1n - y + P, P - 2n)) % P
  return Uint8Array.fromHex(u.toString(16).padStart(64, '0')).reverse()
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = base % P
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % P
    square = (square * square) % P
  }
  return result
}
