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
