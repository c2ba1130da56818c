import type { Random } from '@weft/core'

/** A uniform number in [0, 1), in steps of 2^-32. */
export function randomFraction(random: Random): number {
  const bytes = random.bytes(4)
  // By hand: of a large simulation these are millions.
  const high = ((bytes[0] as number) << 8) | (bytes[1] as number)
  return (high * 2 ** 16 + (((bytes[2] as number) << 8) | (bytes[3] as number))) / 2 ** 32
}
