import assert from 'node:assert/strict'
import { restartNetwork } from '../../../src/simulation/restart-network.ts'
import { Simulation } from '../../../src/simulation/simulation.ts'
import { overlayOf } from '../overlay-of.ts'
import { readRecords, writeRecords } from '../kept-records.ts'
import { type Played, SimulationCost } from '../simulation-cost.ts'

/** ms within which they go; the goal has ten minutes for it, in which the network could heal between. */
const WITHIN_MS = 30_000
/** ms after the first map without those that are gone. */
const HEALED_MS = 30_000

/** Nodes start again, half of them goes, every record is read at once; then the network heals, and they are read again. */
export async function play({
  seed,
  members: count,
  records: written,
}: {
  readonly seed: string
  readonly members: number
  readonly records: number
}): Promise<Played> {
  using simulation = new Simulation({ seed, members: count })
  const cost = new SimulationCost(simulation)
  await restartNetwork(simulation, { members: count })
  cost.note('whole')

  const { nodes } = simulation
  const records = await writeRecords(simulation, written, (at) => nodes[(at * 7) % count])

  cost.note('records written')
  // One of the four validators, and half of the others; every second of them without a word.
  const gone = nodes.filter((_, at) => at === 1 || (at >= 4 && at % 2 === 1))
  const rest = nodes.filter((node) => !gone.includes(node))
  for (const [at, node] of gone.entries()) {
    simulation.kill(node, at % 2 === 0 ? 'ended' : 'gone')
    await simulation.run(WITHIN_MS / gone.length)
    if ((at + 1) % Math.ceil(gone.length / 10) === 0) cost.note(`${at + 1} are gone`)
  }
  const read = (): Promise<void> => readRecords(simulation, records, (at) => rest[(at * 3) % rest.length])
  // Every record can be read as soon as they are gone.
  await read()

  cost.note('half is gone, and all records were read')
  const dropped = (): boolean => rest.every((node) => overlayOf(node).membership.members().length === rest.length)
  await simulation.until('the maps of all are without them', dropped, 5 * 60_000)
  cost.note('out of all maps')
  await simulation.run(HEALED_MS)
  const held = records.keys.map(
    (key) => rest.filter(({ stores }) => stores.records.table?.record(key) !== undefined).length,
  )
  assert.ok(Math.min(...held) >= 20, `each record has all its holders again; the fewest: ${Math.min(...held)}`)
  await read()

  cost.note('healed, and all records were read again')
  return { digest: simulation.trace.digest(), lines: cost.lines }
}
