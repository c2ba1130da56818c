/** Bits that the draw of a position may have less than one in which all are alike; of fewer than four, half of those bits. */
const SLACK_BITS = 1

/**
 * The least Shannon entropy of a draw among `count`: max(log2 n - 1, log2(n) / 2) bits. So it is as uncertain as one among half of them, or
 * among √n where there are fewer than four, and never certain where there are two.
 */
export function entropyFloor(count: number): number {
  const all = Math.log2(count)
  return Math.max(all - SLACK_BITS, all / 2)
}

/** A distribution over n: weights, and with which part of it all are alike. */
export interface Flattened {
  /** Shannon, bits, of the weights alone; the flattened one has this much or more. */
  readonly bits: number
  readonly floorBits: number
  /** 0 to 1: the share of the uniform distribution that is mixed in. */
  readonly uniform: number
}

/**
 * How much of the uniform distribution brings weights to the floor. Entropy is concave: (1 - u) p + u / n has at least (1 - u) H(p) + u log2 n bits
 * (Cover and Thomas, Elements of Information Theory, theorem 2.7.3); `u` is the least for which that is the floor.
 * @param sum of the n weights, each above 0
 * @param logSum of weight times log2 of weight
 */
export function flatten(count: number, sum: number, logSum: number): Flattened {
  const floorBits = entropyFloor(count)
  const bits = Math.max(0, Math.log2(sum) - logSum / sum)
  if (bits >= floorBits) return { bits, floorBits, uniform: 0 }
  return { bits, floorBits, uniform: Math.min(1, (floorBits - bits) / (Math.log2(count) - bits)) }
}
