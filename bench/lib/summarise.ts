import { WeftError } from '@weft/core'
import type { BenchRow } from './bench-result.ts'

const LEAST_SAMPLES = 5

/** The median and the spread of samples, as a row of a bench without its goal and peer. */
export type Summary = Pick<BenchRow, 'median' | 'min' | 'max' | 'samples'>

/** @throws WeftError E_BENCH_SAMPLES when there are fewer than five samples or one is not a finite number */
export function summarise(samples: readonly number[]): Summary {
  if (samples.length < LEAST_SAMPLES || !samples.every(Number.isFinite)) {
    throw new WeftError({
      code: 'E_BENCH_SAMPLES',
      cause: `A figure needs ${LEAST_SAMPLES} finite samples; these are [${samples.join(', ')}].`,
      fix: 'Measure more often, and look for what gave no number.',
    })
  }
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const middle = Math.floor(sorted.length / 2)
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2
  return { median, min: at(0), max: at(sorted.length - 1), samples: sorted.length }
}
