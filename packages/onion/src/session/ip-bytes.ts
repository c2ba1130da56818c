import { isIP } from 'node:net'

/** The 4 or 16 bytes of an address literal; undefined when `text` is none. Zones (fe80::1%eth0) are none. */
export function ipToBytes(text: string): Uint8Array | undefined {
  const family = text.includes('%') ? 0 : isIP(text)
  if (family === 4) return Uint8Array.from(text.split('.'), Number)
  if (family === 0) return undefined
  const bytes = new Uint8Array(16)
  const [head = '', tail] = text.split('::')
  bytes.set(groups(head))
  if (tail !== undefined) {
    const last = groups(tail)
    bytes.set(last, 16 - last.length)
  }
  return bytes
}

function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((part) => {
    if (part.includes('.')) return part.split('.').map(Number)
    const value = Number.parseInt(part, 16)
    return [value >>> 8, value & 0xff]
  })
}

/** The text of an address of 4 or 16 bytes; IPv6 as in RFC 5952, section 4. */
export function ipFromBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0))
  let start = -1
  let length = 1
  for (let from = 0; from < 8; from++) {
    let to = from
    while (to < 8 && words[to] === 0) to++
    if (to - from > length) {
      start = from
      length = to - from
    }
  }
  const hex = (part: number[]): string => part.map((word) => word.toString(16)).join(':')
  if (start < 0) return hex(words)
  return `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`
}
