import type { RecordedFlow, Recording } from './recorded-flow.ts'

/** ms of the bins that flows are counted in, from what tells single packets to what tells pages. */
const BIN_WIDTHS = [20, 100, 500, 2_000] as const
/** ms that what is seen at the client's link may be earlier or later than at the target. */
const LAGS = [0, 20, 40, 60, 80, 100, 130, 160] as const
/** How amounts in a bin are read: as they are, by their size, and whether there are any. */
const READINGS = [
  (count: number) => count,
  (count: number) => Math.log1p(count),
  (count: number) => Math.min(1, count),
] as const

/** A series less its mean, of length 1; all zeros where it never changes. */
type Series = Float32Array

/** By bin width, then reading, then lag. */
type SeriesOf = readonly (readonly (readonly Series[])[])[]

/** What an attacker makes of one flow before flows are compared. */
export interface FlowSeries {
  /** At the client's link, for each lag. */
  readonly linkUp: SeriesOf
  readonly linkDown: SeriesOf
  /** At the target, one lag each: 0. */
  readonly targetUp: SeriesOf
  readonly targetDown: SeriesOf
  readonly linkCells: readonly [up: number, down: number]
  readonly targetBytes: readonly [up: number, down: number]
  readonly linkFirst: number
  readonly targetFirst: number
}

export function flowSeries(flow: RecordedFlow, length: number): FlowSeries {
  const { linkUp, linkDown, targetUp, targetDown } = flow
  const none = [0] as const
  return {
    // Up, the link is earlier than the target; down, later.
    linkUp: seriesOf(
      linkUp,
      length,
      LAGS.map((lag) => -lag),
    ),
    linkDown: seriesOf(linkDown, length, LAGS),
    targetUp: seriesOf(targetUp, length, none),
    targetDown: seriesOf(targetDown, length, none),
    linkCells: [total(linkUp), total(linkDown)],
    targetBytes: [total(targetUp), total(targetDown)],
    linkFirst: linkUp.times[0] ?? length,
    targetFirst: targetUp.times[0] ?? length,
  }
}

/** The highest Pearson correlation over all lags, for each bin width and reading. */
export function correlations(link: SeriesOf, target: SeriesOf): number[] {
  const out: number[] = []
  for (const [width, readings] of link.entries())
    for (const [reading, lags] of readings.entries()) {
      const other = target[width]?.[reading]?.[0] as Series
      let most = -1
      for (const series of lags) most = Math.max(most, dot(series, other))
      out.push(most)
    }
  return out
}

function seriesOf(recording: Recording, length: number, lags: readonly number[]): SeriesOf {
  return BIN_WIDTHS.map((width) => {
    const counted = lags.map((lag) => count(recording, length, width, lag))
    return READINGS.map((read) => counted.map((counts) => normalised(counts, read)))
  })
}

function count({ times, amounts }: Recording, length: number, width: number, lag: number): Float32Array {
  const bins = new Float32Array(Math.ceil(length / width))
  for (const [at, time] of times.entries()) {
    const bin = Math.floor((time - lag) / width)
    if (bin >= 0 && bin < bins.length) bins[bin] = (bins[bin] as number) + (amounts[at] as number)
  }
  return bins
}

function normalised(counts: Float32Array, read: (count: number) => number): Series {
  const series = counts.map(read)
  const mean = series.reduce((sum, value) => sum + value, 0) / series.length
  let squares = 0
  for (const value of series) squares += (value - mean) ** 2
  const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares)
  return series.map((value) => (value - mean) * scale)
}

function dot(a: Series, b: Series): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number)
  return sum
}

function total({ amounts }: Recording): number {
  return amounts.reduce((sum, amount) => sum + amount, 0)
}
