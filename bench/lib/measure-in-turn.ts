import type { MeasureOptions } from './measure.ts'

/**
 * Measures several in turn, each with a figure or several a run, so that whatever else the machine does meets all
 * alike. Who begins changes from one round to the next. The samples by name, in the order of the rounds.
 */
export async function measureInTurn<Name extends string, Figure>(
  contestants: Readonly<Record<Name, () => Promise<Figure>>>,
  { samples = 5, warmup = 1 }: MeasureOptions = {},
): Promise<Readonly<Record<Name, readonly Figure[]>>> {
  const names = Object.keys(contestants) as Name[]
  const figures = Object.fromEntries(names.map((name) => [name, [] as Figure[]])) as Record<Name, Figure[]>
  for (let round = 0; round < warmup + samples; round++) {
    const first = round % names.length
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const figure = await contestants[name]()
      if (round >= warmup) figures[name].push(figure)
    }
  }
  return figures
}
