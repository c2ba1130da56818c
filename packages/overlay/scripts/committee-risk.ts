/** What a committee drawn at random from a population risks, of which some are hostile. */
export interface CommitteeRisk {
  /** Probability that a quorum of one committee is hostile: it could sign what it likes. */
  readonly forged: number
  /** Probability that so many of one committee are hostile that the others are no quorum: it could refuse to sign. */
  readonly blocked: number
}

/** Hostile ones among `size` drawn without putting back: the hypergeometric distribution, computed exactly. */
export function committeeRisk(population: number, hostile: number, size: number, quorum: number): CommitteeRisk {
  return {
    forged: atLeast(quorum, population, hostile, size),
    blocked: atLeast(size - quorum + 1, population, hostile, size),
  }
}

/** Probability of `least` or more hostile ones among `size`. */
export function atLeast(least: number, population: number, hostile: number, size: number): number {
  let ways = 0n
  for (let count = least; count <= Math.min(size, hostile); count++) {
    ways += binomial(hostile, count) * binomial(population - hostile, size - count)
  }
  // The ratio has far more digits than a number holds: 60 decimal places are taken before it becomes one.
  return Number((ways * 10n ** 60n) / binomial(population, size)) / 1e60
}

function binomial(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n
  let ways = 1n
  for (let factor = 1; factor <= k; factor++) ways = (ways * BigInt(n - k + factor)) / BigInt(factor)
  return ways
}
