import type { Refusal } from './strict-values.ts'

/** Small numbers as bits: bit i, from the lowest of the first byte, stands for i; no zero byte at the end. */
export function toBits(members: ReadonlySet<number>): Uint8Array {
  const bits = new Uint8Array(Math.ceil((Math.max(-1, ...members) + 1) / 8))
  for (const member of members) bits[member >> 3] = (bits[member >> 3] ?? 0) | (1 << (member & 7))
  return bits
}

/** @param count numbers from 0 on that there can be @throws refusal */
export function ofBits(bits: Uint8Array, count: number, refuse: Refusal): Set<number> {
  if (bits.length > Math.ceil(count / 8)) throw refuse(`${bits.length} bytes of bits for ${count} validators`)
  const members = new Set<number>()
  for (let index = 0; index < count; index++) {
    if ((((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1) members.add(index)
  }
  return members
}
