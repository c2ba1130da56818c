import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { MACHINE_NOTE, machineRow } from '../lib/machine-row.ts'
import { summarise } from '../lib/summarise.ts'
import type { Join } from './join.ts'
import { REAL_MAP_EPOCH_MS, REAL_THERE, realJoins } from './real-joins.ts'
import { JOINERS, LATENCY_MS, MAP_EPOCH_MS, THERE, simulatedJoins } from './simulated-joins.ts'

const SAMPLES = 5
const STEPS = [
  ['first lookup', 'lookup', 2],
  ['certificate', 'certificate', 60],
  ['in the map', 'map', undefined],
] as const

/** How long a node takes from its start until it finds others, is certified, and is a member. */
const bench: Bench = async () => {
  const simulated: (readonly Join[])[] = []
  while (simulated.length < SAMPLES) simulated.push(await simulatedJoins(simulated.length + 1))
  const real = await realJoins(SAMPLES)
  const rows: BenchRow[] = []
  for (const [what, step, goal] of STEPS) {
    const ofGoal = goal === undefined ? {} : { goal }
    const at = (part: number) => summarise(simulated.map((joins) => percentile(joins, step, part)))
    rows.push(
      { what: `simulated, ${LATENCY_MS} ms links: start to ${what}, p50`, unit: 's', ...at(0.5) },
      { what: `simulated, ${LATENCY_MS} ms links: start to ${what}, p95`, unit: 's', ...at(0.95), ...ofGoal },
      {
        what: `a process on loopback: start to ${what}`,
        unit: 's',
        ...summarise(real.map((join) => join[step] / 1_000)),
        ...ofGoal,
      },
    )
  }
  rows.push(
    {
      what: 'a process on loopback: start to program loaded',
      unit: 's',
      ...summarise(real.map(({ load }) => load / 1_000)),
    },
    await machineRow(),
  )
  return {
    name: 'overlay-join',
    rows,
    notes: [
      `Simulated: the overlay as it ships on a virtual clock; every link takes ${LATENCY_MS} ms one way, up to 5 ms of jitter, loses 0.1 %; ${THERE} nodes, four of them validators, with map epochs of ${MAP_EPOCH_MS / 1_000} s as networks have them; ${JOINERS} others start at moments of their own within three epochs. A sample is the percentile of one seed. Processors take no time there.`,
      `Loopback: ${REAL_THERE} nodes in one process, with epochs of ${REAL_MAP_EPOCH_MS / 1_000} s; each that joins is a process of its own, and time counts from when the system started it, so that loading the program is in it. Beside each another process only loads it.`,
      'The first lookup is that of a node without a map, verified against signatures and proofs. A certificate does not wait for an epoch; to be in the map does, for one at most and what it takes to tell of it.',
      MACHINE_NOTE,
    ],
  }
}

/** s */
function percentile(joins: readonly Join[], step: keyof Join, part: number): number {
  const sorted = joins.map((join) => join[step]).toSorted((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN) / 1_000
}

export default bench
