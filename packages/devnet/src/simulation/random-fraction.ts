import type { Random } from '@weft/core'

/** A uniform number in [0, 1), in steps of 2^-32. */
export function randomFraction(random: Random): number {
  const [a, b, c, d] = random.bytes(4) as unknown as [number, number, number, number]
  return (a * 0x100_0000 + b * 0x1_0000 + c * 0x100 + d) / 2 ** 32
}
