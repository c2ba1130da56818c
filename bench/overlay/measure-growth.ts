import { utf8 } from '@weft/core'
import type { Overlay, RecordKey } from '@weft/overlay'
import { disjointPaths } from '../../packages/devnet/src/simulation/disjoint-paths.ts'
import { growNetwork } from '../../packages/devnet/src/simulation/grow-network.ts'
import { restartNetwork } from '../../packages/devnet/src/simulation/restart-network.ts'
import type { SimulatedNode } from '../../packages/devnet/src/simulation/simulated-node.ts'
import { Simulation } from '../../packages/devnet/src/simulation/simulation.ts'

/** What a network of one size is like; each figure several times, for its spread. */
export interface GrowthFigures {
  /** Paths without a common node between two nodes, of several pairs. */
  readonly paths: readonly number[]
  /** Messages of the busiest node as a part of all, in per cent, in several epochs. */
  readonly busiest: readonly number[]
  /** Records that are readable with half of the nodes gone, in per cent, of several sets of them. */
  readonly survival: readonly number[]
  /** Seconds of a core for a second of the simulation, in several epochs. */
  readonly cost: readonly number[]
}

const SAMPLES = 5
const PAIRS = 9
const RECORDS_A_SAMPLE = 10
const HOUR_MS = 3_600_000

/** Larger networks start again from what their nodes stored. */
const MOST_ADMITTED = 500
/** ms until connections that nobody keeps are closed. */
const SETTLED_MS = 60_000

export interface Growth {
  readonly seed: string
  readonly members: number
}

/** Brings a network to its size, looks at it at rest, and kills every second node. */
export async function play({ seed, members }: Growth): Promise<GrowthFigures> {
  using simulation = new Simulation({ seed, members })
  if (members > MOST_ADMITTED) await restartNetwork(simulation, { members })
  else await growNetwork(simulation, { members, paceMs: 110 })
  await simulation.run(SETTLED_MS)
  const paths = measurePaths(simulation)
  const { busiest, cost } = await measureEpochs(simulation)
  return { paths, busiest, cost, survival: await measureSurvival(simulation) }
}

function measurePaths({ nodes, file }: Simulation): number[] {
  const graph = new Map(nodes.map((node) => [node.id, node.neighbours]))
  const others = nodes.slice(file.validators.length)
  return Array.from({ length: PAIRS }, (_, at) => {
    const [a, b] = [others[at], others.at(-1 - at)] as [SimulatedNode, SimulatedNode]
    return disjointPaths(graph, a.id, b.id)
  })
}

async function measureEpochs(simulation: Simulation): Promise<{ busiest: number[]; cost: number[] }> {
  const { nodes, file } = simulation
  const busiest: number[] = []
  const cost: number[] = []
  for (let sample = 0; sample < SAMPLES; sample++) {
    const before = nodes.map(({ sent }) => sent)
    const cpu = process.cpuUsage()
    await simulation.run(file.mapEpochMs)
    const { user, system } = process.cpuUsage(cpu)
    cost.push((user + system) / 1_000 / file.mapEpochMs)
    const sent = nodes.map((node, at) => node.sent - (before[at] ?? 0))
    busiest.push((100 * Math.max(...sent)) / sent.reduce((sum, count) => sum + count, 0))
  }
  return { busiest, cost }
}

async function measureSurvival(simulation: Simulation): Promise<number[]> {
  const { nodes } = simulation
  const survivors = nodes.filter((_, at) => at % 2 === 1)
  const keys: RecordKey[] = []
  for (let at = 0; at < SAMPLES * RECORDS_A_SAMPLE; at++) {
    const writer = overlayOf(nodes[(at * 3) % nodes.length])
    const expiresAt = simulation.time + HOUR_MS
    keys.push((await simulation.settle(writer.records.putImmutable(utf8(`record ${at}`), expiresAt))).key)
  }
  for (const node of nodes) if (!survivors.includes(node)) simulation.kill(node)
  const readable: number[] = []
  for (let sample = 0; sample < SAMPLES; sample++) {
    let found = 0
    for (const [at, key] of keys.slice(sample * RECORDS_A_SAMPLE, (sample + 1) * RECORDS_A_SAMPLE).entries()) {
      const reader = overlayOf(survivors[(sample + at) % survivors.length])
      const value = await simulation.settle(reader.records.get(key).catch(() => undefined))
      if (value !== undefined) found++
    }
    readable.push((100 * found) / RECORDS_A_SAMPLE)
  }
  return readable
}

function overlayOf(node: SimulatedNode | undefined): Overlay {
  if (node?.overlay === undefined) throw new TypeError('the node does not run')
  return node.overlay
}
