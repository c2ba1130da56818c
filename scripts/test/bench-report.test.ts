import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reachesGoal } from '../../bench/lib/goal-verdict.ts'
import { measureBeside } from '../../bench/lib/measure-beside.ts'
import { summarise } from '../../bench/lib/summarise.ts'
import { type BenchRecord, renderBench, replaceSection } from '../lib/bench-report.ts'

const RECORD: BenchRecord = {
  name: 'demo',
  date: '2026-01-02T03:04:05.000Z',
  commit: 'abc',
  node: '26.10.0',
  machine: { cpu: 'A CPU', cores: 2, memoryGB: 8, kernel: '6.1' },
  rows: [
    { what: 'put', unit: 'MB/s', median: 79, min: 70, max: 90, samples: 5, goal: 80, peer: 'cp', ratioToPeer: 0.5 },
    { what: 'start', unit: 'ms', median: 20, min: 19, max: 25, samples: 5, goal: 20 },
    { what: 'get', unit: 'MB/s', median: 9, min: 9, max: 9, samples: 5, peer: 'cp', ratioToPeer: 2, ratioGoal: 1.5 },
  ],
}

test('a goal is met from the better side, which the unit or the row tells', () => {
  const row = { what: '', median: 10, min: 10, max: 10, samples: 5, goal: 9 }
  assert.equal(reachesGoal({ ...row, unit: 'MB/s' }), true)
  assert.equal(reachesGoal({ ...row, unit: 'ms' }), false)
  assert.equal(reachesGoal({ ...row, unit: '%', better: 'higher' }), true)
})

test('a goal may be a ratio to a peer, which is missed where no peer was there', () => {
  const row = { what: '', unit: 'ms', median: 10, min: 10, max: 10, samples: 5, ratioGoal: 0.9 }
  assert.equal(reachesGoal({ ...row, ratioToPeer: 0.9 }), true)
  assert.equal(reachesGoal({ ...row, ratioToPeer: 0.89 }), false)
  assert.equal(reachesGoal(row), false)
  assert.equal(reachesGoal({ ...row, ratioToPeer: 2, goal: 9 }), false)
})

test('a section says which goals are met and which are missed', () => {
  const section = renderBench(RECORD)
  assert.match(section, /\| put \| 79\.0 MB\/s \| 70\.0 to 90\.0 \| 5 \| ≥ 80\.0 \| \*\*missed\*\* \| 0\.500 × cp \|/)
  assert.match(section, /\| start \|.*\| ≤ 20\.0 \| met \|/)
  assert.match(section, /\| get \|.*\| ≥ 1\.5 × cp \| met \| 2\.00 × cp \|/)
})

test('a section replaces the one of its bench and no other', () => {
  const page = replaceSection(replaceSection('# Benchmarks\n', 'a', 'first'), 'b', 'second')
  const changed = replaceSection(page, 'a', 'third')
  assert.equal(
    changed,
    '# Benchmarks\n\n<!-- bench:a -->\nthird\n<!-- /bench:a -->\n\n<!-- bench:b -->\nsecond\n<!-- /bench:b -->\n',
  )
})

test('a summary has the median and the spread, and refuses too few samples', () => {
  assert.deepEqual(summarise([5, 1, 4, 2, 3]), { median: 3, min: 1, max: 5, samples: 5 })
  assert.equal(summarise([6, 1, 2, 3, 4, 5]).median, 3.5)
  assert.throws(() => summarise([1, 2, 3, 4]), { code: 'E_BENCH_SAMPLES' })
  assert.throws(() => summarise([1, 2, 3, 4, Number.NaN]), { code: 'E_BENCH_SAMPLES' })
})

test('measuring beside a peer alternates who is first and leaves out the warm-up', async () => {
  const order: string[] = []
  const runs = (who: string, figure: number) => (): number => {
    order.push(who)
    return figure
  }
  const { ours, peer } = await measureBeside(runs('o', 1), runs('p', 2))
  assert.equal(order.join(''), 'pooppooppoop')
  assert.deepEqual([ours.median, ours.samples, peer.median, peer.samples], [1, 5, 2, 5])
})
