import type { Chance } from './chance.ts'

/** How a judge did on one flow: what it gave the flow's own pair, and others of the same link. */
export interface Judged {
  readonly own: number
  readonly others: readonly number[]
}

export interface Area {
  /** Chance that the own pair is judged above another: 1 finds all, 0.5 is guessing. Ties count half. */
  readonly value: number
  /** 95 % of resampled flows. */
  readonly low: number
  readonly high: number
  /** Part of flows that are found where one other pair in a hundred is taken for one. */
  readonly found: number
  readonly foundLow: number
  readonly foundHigh: number
}

const RESAMPLES = 400

/** Area under the receiver's curve, with a bootstrap over flows (Efron's percentile interval). */
export function areaUnderCurve(judged: readonly Judged[], chance: Chance): Area {
  const value = area(judged)
  const others = judged.flatMap((one) => one.others).sort((a, b) => b - a)
  const bar = others[Math.floor(others.length / 100)] ?? Infinity
  const resampled = Array.from({ length: RESAMPLES }, () =>
    Array.from(judged, () => judged[Math.floor(chance.fraction() * judged.length)] as Judged),
  )
  const [low, high] = interval(resampled.map(area))
  const [foundLow, foundHigh] = interval(resampled.map((sample) => foundAbove(sample, bar)))
  return { value, low, high, found: foundAbove(judged, bar), foundLow, foundHigh }
}

function interval(values: readonly number[]): [number, number] {
  const sorted = values.toSorted((a, b) => a - b)
  return [sorted[Math.floor(RESAMPLES * 0.025)] as number, sorted[Math.ceil(RESAMPLES * 0.975) - 1] as number]
}

function foundAbove(judged: readonly Judged[], bar: number): number {
  return judged.filter(({ own }) => own > bar).length / judged.length
}

/** By ranks, as Mann and Whitney's U. */
function area(judged: readonly Judged[]): number {
  const others = judged.flatMap((one) => one.others).sort((a, b) => a - b)
  let sum = 0
  for (const { own } of judged) sum += (below(others, own, false) + below(others, own, true)) / 2
  return sum / (judged.length * others.length)
}

/** How many are below, or not above. */
function below(sorted: readonly number[], value: number, orSame: boolean): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const at = sorted[middle] as number
    if (at < value || (orSame && at === value)) low = middle + 1
    else high = middle
  }
  return low
}
