import assert from 'node:assert/strict'
import { signatureWork } from '@weft/crypto'
import { growNetwork } from '../../../src/simulation/grow-network.ts'
import type { SimulatedNode } from '../../../src/simulation/simulated-node.ts'
import { Simulation } from '../../../src/simulation/simulation.ts'
import { overlayOf } from '../overlay-of.ts'
import { readRecords, writeRecords } from '../kept-records.ts'
import { type Played, SimulationCost } from '../simulation-cost.ts'

const RECORDS = 40
/** Part of the nodes that is behind NAT. */
const BEHIND_NAT = 0.2

/** Nodes, a fifth of them behind NAT, are admitted one by one; a quarter of them is killed at once, and every record is read. */
export async function play({
  seed,
  members: count,
}: {
  readonly seed: string
  readonly members: number
}): Promise<Played> {
  const signatures = signatureWork()
  using simulation = new Simulation({ seed, members: count, behindNat: BEHIND_NAT })
  const cost = new SimulationCost(simulation)
  await growNetwork(simulation, { members: count })
  cost.note('grown')

  const members = simulation.nodes.slice(simulation.file.validators.length)
  const records = await writeRecords(simulation, RECORDS, (at) => members[(at * 7) % members.length])
  for (const { holders, acknowledged } of records.puts) {
    assert.equal(holders, 20)
    assert.ok(acknowledged >= 14)
  }

  const victims = members.filter((_, at) => at % 4 === 3)
  for (const node of [...victims, simulation.nodes[0] as SimulatedNode]) simulation.kill(node)
  await readRecords(simulation, records, (at) => members[(at * 4 + 1) % members.length])

  // Of four validators one is gone: the map of each epoch that is not its turn is signed, and reaches everybody.
  await simulation.run(2 * simulation.file.mapEpochMs)
  const epochs = simulation.running().map((node) => overlayOf(node).membership.status().epoch ?? 0)
  const now = Math.floor(simulation.now / simulation.file.mapEpochMs)
  assert.ok(Math.min(...epochs) >= now - 2, `epoch ${now}; the furthest behind is at ${Math.min(...epochs)}`)

  cost.note('a quarter gone, all records read, two epochs on')
  const { made, asked, verified } = signatureWork()
  const work = `signatures: ${made - signatures.made} made, ${asked - signatures.asked} asked for, ${verified - signatures.verified} verified`
  return { digest: simulation.trace.digest(), lines: [...cost.lines, work] }
}
