const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Base58btc (draft-msporny-base58). Quadratic: for keys, not for data. */
export function toBase58(bytes: Uint8Array): string {
  let value = 0n
  for (const byte of bytes) value = value * 256n + BigInt(byte)
  let out = ''
  while (value > 0n) {
    out = ALPHABET[Number(value % 58n)] + out
    value /= 58n
  }
  for (const byte of bytes) {
    if (byte !== 0) break
    out = `1${out}`
  }
  return out
}

/** @throws SyntaxError on a letter outside the alphabet. */
export function fromBase58(text: string): Uint8Array {
  let value = 0n
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter)
    if (digit < 0) throw new SyntaxError('base58: a letter is outside the alphabet')
    value = value * 58n + BigInt(digit)
  }
  const out: number[] = []
  while (value > 0n) {
    out.unshift(Number(value & 255n))
    value >>= 8n
  }
  for (const letter of text) {
    if (letter !== '1') break
    out.unshift(0)
  }
  return Uint8Array.from(out)
}
