import type { BenchResult, BenchRow } from '../../bench/lib/bench-result.ts'
import { isHigherBetter, reachesGoal } from '../../bench/lib/goal-verdict.ts'

/** Where and when a result was measured. */
export interface BenchSetting {
  /** ISO 8601. */
  readonly date: string
  /** The commit's hash, with `+changes` when the tree had uncommitted ones. */
  readonly commit: string
  readonly node: string
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryGB: number; readonly kernel: string }
}

export type BenchRecord = BenchSetting & BenchResult

/** The section of bench/README.md for one result: a table, then its setting and notes. */
export function renderBench(record: BenchRecord): string {
  const { name, rows, notes = [], versions = {}, machine } = record
  const peers = Object.entries(versions).map(([peer, version]) => `${peer} ${version}`)
  return [
    `### ${name}`,
    '',
    '| what | median | spread | n | goal | verdict | beside |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(renderRow),
    '',
    `${record.date.slice(0, 10)}, commit ${record.commit}, Node ${record.node}${peers.length > 0 ? `, ${peers.join(', ')}` : ''}; ` +
      `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, Linux ${machine.kernel}.`,
    ...notes.flatMap((note) => ['', note]),
  ].join('\n')
}

function renderRow(row: BenchRow): string {
  const met = reachesGoal(row)
  const goals = [
    ...(row.goal === undefined ? [] : [`${isHigherBetter(row) ? '≥' : '≤'} ${figure(row.goal)}`]),
    ...(row.ratioGoal === undefined ? [] : [`≥ ${row.ratioGoal} × ${row.peer ?? 'its peer'}`]),
  ]
  const verdict = met === undefined ? '' : met ? 'met' : '**missed**'
  const beside =
    row.peer === undefined ? '' : row.ratioToPeer === undefined ? row.peer : `${figure(row.ratioToPeer)} × ${row.peer}`
  const cells = [
    row.what,
    `${figure(row.median)} ${row.unit}`,
    `${figure(row.min)} to ${figure(row.max)}`,
    String(row.samples),
    goals.join(', '),
    verdict,
    beside,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** Three significant digits, without an exponent. */
function figure(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3
  return value.toFixed(digits)
}

/** Puts `section` between the markers of `name` in `page`, at the end when the page has none yet. */
export function replaceSection(page: string, name: string, section: string): string {
  const [open, close] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`]
  const block = `${open}\n${section}\n${close}`
  const from = page.indexOf(open)
  const to = page.indexOf(close)
  if (from === -1 || to < from) return `${page.trimEnd()}\n\n${block}\n`
  return page.slice(0, from) + block + page.slice(to + close.length)
}
