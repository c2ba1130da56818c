import type { Simulation } from './simulation.ts'

export interface GrowthOptions {
  /** How many nodes of the plan shall be members in the end. */
  readonly members: number
  /** ms between two starts; default 250: about what four validators can judge. */
  readonly paceMs?: number
  /** ms of the simulation's time for all; default 20 s and four times what the starts take. */
  readonly limitMs?: number
}

/**
 * Starts the first nodes of the plan, validators first, and waits until all are members in the map of all: each goes
 * through admission as it would anywhere.
 * @throws WeftError E_SIMULATION_STUCK
 */
export async function growNetwork(simulation: Simulation, options: GrowthOptions): Promise<void> {
  const { members, paceMs = 250 } = options
  const { nodes, file } = simulation
  const wanted = nodes.slice(0, members)
  const limitMs = options.limitMs ?? 20_000 + 4 * members * paceMs
  for (const [index, node] of wanted.entries()) {
    if (node.overlay !== undefined) continue
    await simulation.start(node)
    if (index >= file.validators.length) await simulation.run(paceMs)
  }
  const holds = (): boolean => wanted.every(({ overlay }) => overlay?.membership.members().length === members)
  await simulation.until(`${members} nodes are members of one another`, holds, limitMs)
}
