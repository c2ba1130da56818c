import type { Random } from '@weft/core'

/** Uniform in [0, 1), 48 bits. */
export function uniform(random: Random): number {
  let value = 0
  for (const byte of random.bytes(6)) value = value * 256 + byte
  return value / 2 ** 48
}
