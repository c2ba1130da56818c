const HEX = '0123456789ABCDEF'
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const UNRESERVED = new Set(Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~', 'latin1'))

/** UriEncode of AWS: all but RFC 3986's unreserved characters, upper-case hexadecimal. @param more characters that stay as well */
export function percentEncode(text: string, more = ''): string {
  let out = ''
  for (const byte of Buffer.from(text, 'utf8')) {
    const letter = String.fromCharCode(byte)
    if (UNRESERVED.has(byte) || (more !== '' && more.includes(letter))) out += letter
    else out += `%${HEX[byte >> 4]}${HEX[byte & 15]}`
  }
  return out
}

/** Undefined where an escape is none, a character is not ASCII, or the bytes are not UTF-8. */
export function percentDecode(text: string): string | undefined {
  const out = Buffer.alloc(text.length)
  let length = 0
  for (let at = 0; at < text.length; at++) {
    let byte = text.charCodeAt(at)
    if (byte > 0x7e || byte < 0x20) return undefined
    if (byte === 0x25) {
      const digits = text.slice(at + 1, at + 3)
      if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return undefined
      byte = Number.parseInt(digits, 16)
      at += 2
    }
    out[length++] = byte
  }
  return decodeUtf8(out.subarray(0, length))
}

/** Undefined for bytes that are not UTF-8. A byte order mark is a character like any other. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes)
  } catch {
    return undefined
  }
}
