import { restartNetwork } from '../../../src/simulation/restart-network.ts'
import { Simulation } from '../../../src/simulation/simulation.ts'
import { readRecords, writeRecords } from '../kept-records.ts'
import { type Played, SimulationCost } from '../simulation-cost.ts'

export interface HalfAtOnce {
  readonly seed: string
  readonly members: number
}

const RECORDS = 100

/**
 * Nodes start again, follow the next map and write records; half of them goes at one moment, and each record is read at
 * once, before anything can heal. How networks heal is looked at in smaller ones (docs/known-issues.md, Simulation).
 */
export async function play({ seed, members }: HalfAtOnce): Promise<Played> {
  using simulation = new Simulation({ seed, members })
  const cost = new SimulationCost(simulation)
  await restartNetwork(simulation, { members })
  cost.note('all follow the map')

  const { nodes } = simulation
  const records = await writeRecords(simulation, RECORDS, (at) => nodes[(at * 97) % members])
  cost.note('records written')

  // Two of the four validators are among them, so that no map tells; every second node goes without a word.
  const rest = nodes.filter((_, at) => at % 2 === 0)
  for (const [at, node] of nodes.entries()) if (at % 2 === 1) simulation.kill(node, at % 4 === 1 ? 'ended' : 'gone')
  await readRecords(simulation, records, (at) => rest[(at * 41) % rest.length])
  cost.note('half is gone, and all records are read')
  return { digest: simulation.trace.digest(), lines: cost.lines }
}
