import type { BenchRow } from './bench-result.ts'

/** Whether a row reaches its goals; undefined when it has none. */
export function reachesGoal(row: BenchRow): boolean | undefined {
  const { goal, ratioGoal, ratioToPeer } = row
  if (goal === undefined && ratioGoal === undefined) return undefined
  if (ratioGoal !== undefined && (ratioToPeer === undefined || ratioToPeer < ratioGoal)) return false
  return goal === undefined || (isHigherBetter(row) ? row.median >= goal : row.median <= goal)
}

export function isHigherBetter({ better, unit }: Pick<BenchRow, 'better' | 'unit'>): boolean {
  return better === undefined ? /\/s(ec)?$/.test(unit) : better === 'higher'
}
