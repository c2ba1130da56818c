/** What a random number is drawn from; `most` is never exceeded. */
export type Distribution =
  | { readonly kind: 'exponential'; readonly scale: number; readonly most: number }
  | { readonly kind: 'uniform'; readonly least: number; readonly most: number }

/** Truncated at `most`, its mean is below `scale`. */
export function exponential(scale: number, most: number): Distribution {
  return { kind: 'exponential', scale, most }
}

export function uniform(least: number, most: number): Distribution {
  return { kind: 'uniform', least, most }
}

/** @param chance uniform in [0, 1): the inverse of the distribution function is taken of it */
export function draw(from: Distribution, chance: number): number {
  if (from.kind === 'uniform') return from.least + (from.most - from.least) * chance
  const { scale, most } = from
  return Math.min(most, -scale * Math.log1p(chance * Math.expm1(-most / scale)))
}
