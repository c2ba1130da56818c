const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/**
 * Digits of base 58² are made of 16 bits at a time: a product of both fits the processor's 32-bit integers, which made
 * the id of a node, at 5 µs, ten times as cheap as with bigints.
 */
const PAIR = 58 * 58
const WORD = 65_536

/** Base58btc (draft-msporny-base58-03). Quadratic: for keys, not for data. */
export function toBase58(bytes: Uint8Array): string {
  /** In base 58², the least first. */
  const digits: number[] = []
  const odd = bytes.length % 2
  if (odd === 1) addTo(digits, PAIR, 256, bytes[0] as number)
  for (let at = odd; at < bytes.length; at += 2) {
    addTo(digits, PAIR, WORD, ((bytes[at] as number) << 8) | (bytes[at + 1] as number))
  }
  let out = ''
  for (const digit of digits) out = letterOf(Math.floor(digit / 58)) + letterOf(digit % 58) + out
  // The first pair may begin with a zero; zeros that count are those of the bytes.
  out = out.replace(/^1+/, '')
  for (const byte of bytes) {
    if (byte !== 0) break
    out = `1${out}`
  }
  return out
}

/** @throws SyntaxError on a letter outside the alphabet. */
export function fromBase58(text: string): Uint8Array {
  /** In base 2^16, the least first. */
  const words: number[] = []
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter)
    if (digit < 0) throw new SyntaxError('base58: a letter is outside the alphabet')
    addTo(words, WORD, 58, digit)
  }
  const out = words.flatMap((word) => [word & 255, word >> 8])
  while (out.at(-1) === 0) out.pop()
  for (const letter of text) {
    if (letter !== '1') break
    out.push(0)
  }
  return Uint8Array.from(out.toReversed())
}

/** digits · factor + carry, in the given base, the least digit first. */
function addTo(digits: number[], base: number, factor: number, carry: number): void {
  let over = carry
  for (let at = 0; at < digits.length; at++) {
    const value = (digits[at] as number) * factor + over
    digits[at] = value % base
    over = Math.floor(value / base)
  }
  if (over > 0) digits.push(over % base)
  if (over >= base) digits.push(Math.floor(over / base))
}

function letterOf(digit: number): string {
  return ALPHABET[digit] as string
}
