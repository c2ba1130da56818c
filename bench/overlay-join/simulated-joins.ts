import { randomInt, seededRandom } from '@weft/core'
import { growNetwork } from '../../packages/devnet/src/simulation/grow-network.ts'
import type { SimulatedNode } from '../../packages/devnet/src/simulation/simulated-node.ts'
import { Simulation } from '../../packages/devnet/src/simulation/simulation.ts'
import type { Join } from './join.ts'
import { measureJoin } from './measure-join.ts'

/** As networks have them that are no devnet. */
export const MAP_EPOCH_MS = 60_000
export const LATENCY_MS = 50
/** Nodes that are there, four of them validators. */
export const THERE = 12
export const JOINERS = 40
/** ms in which the joiners start, each at a moment of its own. */
const WITHIN_MS = 3 * MAP_EPOCH_MS
const LIMIT_MS = 10 * MAP_EPOCH_MS

/** Nodes that join a network on simulated links: each figure of one node. */
export async function simulatedJoins(seed: number): Promise<readonly Join[]> {
  const links = { latencyMs: () => LATENCY_MS, jitterMs: 5, loss: 0.001, bytesPerMs: 12_500 }
  const members = THERE + JOINERS
  using simulation = new Simulation({ seed: `join ${seed}`, members, mapEpochMs: MAP_EPOCH_MS, links })
  await growNetwork(simulation, { members: THERE, limitMs: LIMIT_MS })
  const random = seededRandom(seed)
  const joiners = simulation.nodes.slice(THERE)
  const starts = joiners.map(() => randomInt(random, WITHIN_MS)).toSorted((a, b) => a - b)
  const joins: Join[] = []
  const began = simulation.now
  for (const [at, node] of joiners.entries()) {
    await simulation.run(Math.max(0, began + (starts[at] ?? 0) - simulation.now))
    void join(simulation, node, random.bytes(32)).then((figures) => joins.push(figures))
  }
  await simulation.until(`${JOINERS} nodes joined`, () => joins.length === JOINERS, LIMIT_MS)
  return joins
}

async function join(simulation: Simulation, node: SimulatedNode, target: Uint8Array): Promise<Join> {
  const began = simulation.now
  await simulation.start(node)
  const { overlay } = node
  if (overlay === undefined) throw new TypeError(`${node.name} does not run`)
  return measureJoin(overlay, simulation.clock, target, () => simulation.now - began)
}
