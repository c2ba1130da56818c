/** One size and what was measured there. */
export interface GrowthPoint {
  readonly nodes: number
  readonly value: number
}

/** Characters of the longest bar. */
const WIDTH = 40

/** A plot in text, a bar for each size from nothing to the greatest value: a Markdown block that reads the same everywhere. */
export function growthPlot(title: string, points: readonly GrowthPoint[]): string {
  const most = Math.max(...points.map(({ value }) => value))
  const lines = points.map(({ nodes, value }) => {
    const bar = '█'.repeat(most === 0 ? 0 : Math.round((WIDTH * value) / most))
    return `${nodes.toLocaleString('en').padStart(8)}  ${bar} ${Number(value.toPrecision(3))}`
  })
  return ['```text', title, ...lines, '```'].join('\n')
}
