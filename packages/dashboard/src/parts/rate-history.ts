/** Bytes a second over one second, each way as the user sees it. */
export interface Rate {
  readonly sent: number
  readonly received: number
}

export interface RateSample extends Rate {
  /** When the second ended that it tells of, ms since the epoch. */
  readonly at: number
}

/** What is drawn, s. */
export const HISTORY_SECONDS = 60

const SECOND_MS = 1_000
/** Samples that are no farther apart leave no gap, ms: they come once a second, some of them late. */
const GAP_MS = 1_750
const STILL: Rate = { sent: 0, received: 0 }

/** The history with one more sample, without what is too old to be drawn. */
export function addRate(history: readonly RateSample[], sample: RateSample): readonly RateSample[] {
  const since = sample.at - (HISTORY_SECONDS + 1) * SECOND_MS
  return [...history.filter(({ at }) => at > since && at < sample.at), sample]
}

/**
 * The rate in each of the last seconds up to the newest sample, oldest first: samples come while something flows, so
 * a second that none tells of was still.
 */
export function ratesBySecond(history: readonly RateSample[], seconds: number = HISTORY_SECONDS): readonly Rate[] {
  const end = history.at(-1)?.at ?? 0
  return Array.from({ length: seconds }, (_, index) => {
    const middle = end - (seconds - index - 0.5) * SECOND_MS
    const next = history.findIndex(({ at }) => at >= middle)
    const sample = history[next]
    if (sample === undefined) return STILL
    const before = history[next - 1]?.at ?? -Infinity
    return sample.at - middle < SECOND_MS || sample.at - before <= GAP_MS ? sample : STILL
  })
}

/** The mean rate of each `length` seconds, oldest first: what a table of a minute says in few rows. */
export function meanRates(rates: readonly Rate[], length: number): readonly Rate[] {
  return Array.from({ length: Math.ceil(rates.length / length) }, (_, index) => {
    const part = rates.slice(index * length, (index + 1) * length)
    const mean = (of: (rate: Rate) => number): number => part.reduce((sum, rate) => sum + of(rate), 0) / part.length
    return { sent: mean(({ sent }) => sent), received: mean(({ received }) => received) }
  })
}

/** Points of an SVG polyline over the whole width; `most` is at the top. Nothing flows along the bottom. */
export function linePoints(values: readonly number[], most: number, width: number, height: number): string {
  const step = values.length > 1 ? width / (values.length - 1) : 0
  return values
    .map((value, index) => {
      const share = most > 0 ? Math.min(1, value / most) : 0
      return `${round(index * step)},${round(height * (1 - share))}`
    })
    .join(' ')
}

const round = (value: number): number => Math.round(value * 10) / 10
