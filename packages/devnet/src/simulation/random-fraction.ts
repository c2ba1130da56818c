import type { Random } from '@weft/core'

/** A uniform number in [0, 1), in steps of 2^-32. */
export function randomFraction(random: Random): number {
  const bytes = random.bytes(4)
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32
}
