import { type Area, type Judged, areaUnderCurve } from './area-under-curve.ts'
import { Chance } from './chance.ts'
import { type FlowSeries, flowSeries } from './flow-series.ts'
import { type Example, type Judge, trainAttack } from './learned-attack.ts'
import { CORRELATIONS, pairFeatures } from './pair-features.ts'
import type { RecordedFlow } from './recorded-flow.ts'

/** Other targets that each link is compared with. */
const OTHERS = 24

export interface AttackFigures {
  /** The one correlation that does best on the flows to learn from. */
  readonly correlation: Area
  /** A network that learned from flows of the same tier. */
  readonly learned: Area
}

/**
 * Learns from one half of the flows to tell whether a link and a target belong together, and is judged on the other. All are of one workload, seen for the same time: an
 * attacker who had to tell a call from a download would have it easier.
 */
export function attack(flows: readonly RecordedFlow[], length: number, seed: number): AttackFigures {
  const chance = new Chance(seed)
  const series = flows.map((flow) => flowSeries(flow, length))
  const half = Math.floor(series.length / 2)
  const learning = pairs(series.slice(0, half), chance)
  const judging = pairs(series.slice(half), chance)
  const best = bestCorrelation(learning, chance)
  const judge = trainAttack(
    learning.flatMap(({ own, others }): Example[] => [
      { features: own, isOne: true },
      ...others.map((features) => ({ features, isOne: false })),
    ]),
    chance,
  )
  return {
    correlation: areaUnderCurve(
      judged(judging, (features) => features[best] as number),
      chance,
    ),
    learned: areaUnderCurve(judged(judging, judge), chance),
  }
}

interface Pairs {
  readonly own: readonly number[]
  readonly others: readonly (readonly number[])[]
}

function pairs(series: readonly FlowSeries[], chance: Chance): Pairs[] {
  return series.map((link, at) => ({
    own: pairFeatures(link, link),
    others: Array.from({ length: OTHERS }, () => {
      const other = (at + 1 + Math.floor(chance.fraction() * (series.length - 1))) % series.length
      return pairFeatures(link, series[other] as FlowSeries)
    }),
  }))
}

function judged(of: readonly Pairs[], judge: Judge): Judged[] {
  return of.map(({ own, others }) => ({ own: judge(own), others: others.map(judge) }))
}

function bestCorrelation(learning: readonly Pairs[], chance: Chance): number {
  let [best, most] = [0, 0]
  for (let at = 0; at < CORRELATIONS; at++) {
    const { value } = areaUnderCurve(
      judged(learning, (features) => features[at] as number),
      chance,
    )
    if (value > most) [best, most] = [at, value]
  }
  return best
}
