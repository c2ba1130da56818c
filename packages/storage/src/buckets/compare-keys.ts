/** Above these UTF-16 and UTF-8 part ways: surrogates are of characters behind all that one unit holds. */
const SURROGATE = 0xd800
const BEHIND_SURROGATES = 0xe000

/** The order of the UTF-8 bytes of two well-formed texts, without making them: negative, 0 or positive. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

function rank(unit: number): number {
  if (unit < SURROGATE) return unit
  return unit < BEHIND_SURROGATES ? unit + 0x2000 : unit - 0x800
}
