/** Terminals act on these, or show what stands around them in another order, or not at all. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** A text that somebody else chose, for a terminal: control and format characters show as they are written in JSON. */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, escaped)
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => character.charCodeAt(at).toString(16).padStart(4, '0'))
    .map((code) => `\\u${code}`)
    .join('')
}
