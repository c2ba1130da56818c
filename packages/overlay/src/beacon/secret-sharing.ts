import type { Random } from '@weft/core'
import { wipe } from '@weft/crypto'
import { addScalars, invertPublic, mod, randomScalar, subtractScalars } from './scalar.ts'

/**
 * Shares p(1) … p(count) of a random polynomial p of degree below `threshold` (Shamir 1979), whose secret is p(0). The
 * first `threshold` values are drawn, which is as good as drawing p; the others follow by finite differences (Newton):
 * the difference of order `threshold` of such a polynomial is zero everywhere. So no product of secrets is needed.
 */
export function drawShares(threshold: number, count: number, random: Random): readonly Uint8Array[] {
  const shares = Array.from({ length: threshold }, () => randomScalar(random))
  // The differences of order 0, 1, … that end at the newest share.
  let edge: Uint8Array[] = []
  for (const share of shares) {
    const next: Uint8Array[] = [new Uint8Array(share)]
    for (const [order, before] of edge.entries()) next.push(subtractScalars(next[order] as Uint8Array, before))
    wipe(...edge)
    edge = next
  }
  while (shares.length < count) {
    for (let order = threshold - 2; order >= 0; order--) {
      const before = edge[order] as Uint8Array
      edge[order] = addScalars(before, edge[order + 1] as Uint8Array)
      wipe(before)
    }
    shares.push(new Uint8Array(edge[0] as Uint8Array))
  }
  wipe(...edge)
  return shares
}

/**
 * Weights by which the values at these points sum to the value at 0 of the polynomial of degree below their number
 * (Lagrange).
 * @param points distinct, 1 or greater
 */
export function weightsAtZero(points: readonly number[]): readonly bigint[] {
  return points.map((point) => {
    let numerator = 1n
    let denominator = 1n
    for (const other of points) {
      if (other === point) continue
      numerator = mod(numerator * BigInt(other))
      denominator = mod(denominator * BigInt(other - point))
    }
    return mod(numerator * invertPublic(denominator))
  })
}

/**
 * A word of the code dual to all sharings among 1 … count of degree below `threshold`: the products of a sharing with it
 * sum to zero, those of anything else do so for one in 2^252 words (SCRAPE, Cascudo and David 2017). The
 * weights 1 / ∏(i - j) of the paper are these, times (count - 1)! and maybe -1: binomial coefficients of alternating sign.
 * @param coefficients of the polynomial that picks the word, lowest first; count - threshold of them
 */
export function dualWord(count: number, coefficients: readonly bigint[]): readonly bigint[] {
  const word: bigint[] = []
  let binomial = 1n
  for (let point = 1n; point <= count; point++) {
    const value = coefficients.reduceRight((sum, coefficient) => mod(sum * point + coefficient), 0n)
    word.push(mod(value * binomial))
    binomial = (-binomial * (BigInt(count) - point)) / point
  }
  return word
}
