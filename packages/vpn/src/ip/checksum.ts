import { u16 } from './ip-header.ts'

/** The sum of 16-bit words (RFC 1071), carries not yet folded in. */
export function sumOf(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0
  let at = from
  for (; at + 1 < to; at += 2) sum += u16(bytes, at)
  if (at < to) sum += (bytes[at] as number) << 8
  return sum
}

/** What goes into a checksum's field. */
export function checksumOf(sum: number): number {
  return ~fold(sum) & 0xffff
}

/** The checksum after the summed words of `before` became those of `after` (RFC 1624, equation 3). */
export function adjusted(checksum: number, before: number, after: number): number {
  return ~fold((~checksum & 0xffff) + (~fold(before) & 0xffff) + fold(after)) & 0xffff
}

function fold(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000)
  return folded
}

/**
 * Copies bytes and sums them, the first two of them as one word: 0.2 µs for 1,280 bytes, half of what one after the other takes. Words are
 * summed in the machine's order, whose sum has its bytes the other way round (RFC 1071, section 2, B). At most 65,536 bytes.
 */
export function copySum(from: DataView, start: number, end: number, to: DataView, at: number): number {
  let low = 0
  let high = 0
  let i = start
  let o = at
  for (; i + 16 <= end; i += 16, o += 16) {
    const a = from.getInt32(i, true)
    const b = from.getInt32(i + 4, true)
    const c = from.getInt32(i + 8, true)
    const d = from.getInt32(i + 12, true)
    to.setInt32(o, a, true)
    to.setInt32(o + 4, b, true)
    to.setInt32(o + 8, c, true)
    to.setInt32(o + 12, d, true)
    low = (low + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0
  }
  for (; i + 1 < end; i += 2, o += 2) {
    const word = from.getUint16(i, true)
    to.setUint16(o, word, true)
    low = (low + word) | 0
  }
  if (i < end) {
    const last = from.getUint8(i)
    to.setUint8(o, last)
    low = (low + last) | 0
  }
  return swapped(fold(low + high))
}

/** The sum of bytes as `copySum` has it, which is faster than {@link sumOf} where they are many. */
export function sumOfView(bytes: DataView, start: number, end: number): number {
  let low = 0
  let high = 0
  let i = start
  for (; i + 16 <= end; i += 16) {
    const a = bytes.getInt32(i, true)
    const b = bytes.getInt32(i + 4, true)
    const c = bytes.getInt32(i + 8, true)
    const d = bytes.getInt32(i + 12, true)
    low = (low + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0
  }
  for (; i + 1 < end; i += 2) low = (low + bytes.getUint16(i, true)) | 0
  if (i < end) low = (low + bytes.getUint8(i)) | 0
  return swapped(fold(low + high))
}

function swapped(word: number): number {
  return ((word & 0xff) << 8) | (word >>> 8)
}
