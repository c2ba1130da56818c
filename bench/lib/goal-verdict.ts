import type { BenchRow } from './bench-result.ts'

/** Whether a row reaches its goal; undefined when it has none. */
export function reachesGoal(row: BenchRow): boolean | undefined {
  if (row.goal === undefined) return undefined
  return isHigherBetter(row) ? row.median >= row.goal : row.median <= row.goal
}

export function isHigherBetter({ better, unit }: Pick<BenchRow, 'better' | 'unit'>): boolean {
  return better === undefined ? /\/s(ec)?$/.test(unit) : better === 'higher'
}
