import { playApart } from '../../packages/devnet/src/simulation/play-apart.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { summarise } from '../lib/summarise.ts'
import { type GrowthPoint, growthPlot } from './growth-plot.ts'
import type { play } from './measure-growth.ts'

const GROWTH = new URL('./measure-growth.ts', import.meta.url)
const SEED = 'growth'
const SIZES = [20, 100, 500]
/** With `npm run bench -- --long overlay`. */
const LONG_SIZES = [2_000, 10_000]

/** Growth: what a network of the overlay as it ships is like at each size, on simulated machines and links. */
const bench: Bench = async () => {
  const rows: BenchRow[] = []
  const plots = { paths: [] as GrowthPoint[], busiest: [] as GrowthPoint[], cost: [] as GrowthPoint[] }
  for (const members of [...SIZES, ...(process.env['WEFT_LONG'] === undefined ? [] : LONG_SIZES)]) {
    const { paths, busiest, survival, cost } = await playApart<typeof play>(GROWTH, { seed: SEED, members })
    const of = `${members.toLocaleString('en')} nodes`
    rows.push(
      { what: `${of}: paths between two without a common node`, unit: '', ...summarise(paths), better: 'higher' },
      { what: `${of}: messages of the busiest`, unit: '%', ...summarise(busiest) },
      {
        what: `${of}: records readable with half of the nodes gone`,
        unit: '%',
        ...summarise(survival),
        goal: 99.99,
        better: 'higher',
      },
      { what: `${of}: a core, for a second of the simulation`, unit: 's', ...summarise(cost) },
    )
    const add = (plot: GrowthPoint[], value: number): void => void plot.push({ nodes: members, value })
    add(plots.paths, summarise(paths).median)
    add(plots.busiest, (summarise(busiest).median / 100) * members)
    add(plots.cost, (1_000 * summarise(cost).median) / members)
  }
  return {
    name: 'overlay',
    rows,
    notes: [
      'The overlay as it ships, on the simulator (docs/architecture.md, Simulated networks): a virtual clock, the latency, jitter and loss between three regions, everything from one seed. All but the last row of each size repeat to the digit.',
      'Up to 500 nodes are admitted one by one by four validators; more start again from their stored certificates and map; epochs of 5 s. Paths are counted in the graph of open connections a minute later, of nine pairs. Then every second node is killed, two of the validators among them, and each record is read once, at once.',
      growthPlot('nodes     paths between two without a common node', plots.paths),
      growthPlot('nodes     messages of the busiest node, in those of an average one', plots.busiest),
      growthPlot('nodes     ms of a core for a node and a second of the simulation', plots.cost),
    ],
  }
}

export default bench
