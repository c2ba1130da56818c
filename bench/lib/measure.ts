import { type Summary, summarise } from './summarise.ts'

export interface MeasureOptions {
  /** Runs whose figures count (default 5, the least that a median is taken of). */
  readonly samples?: number
  /** Runs before those, to warm caches and the compiler (default 1). */
  readonly warmup?: number
}

/** Runs `once` one after the other and sums up the figures that it returns, in whatever unit it returns them. */
export async function measure(
  once: () => number | Promise<number>,
  { samples = 5, warmup = 1 }: MeasureOptions = {},
): Promise<Summary> {
  for (let run = 0; run < warmup; run++) await once()
  const figures: number[] = []
  for (let run = 0; run < samples; run++) figures.push(await once())
  return summarise(figures)
}
