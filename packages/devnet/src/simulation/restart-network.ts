import { storeNetwork } from '@weft/overlay'
import type { Simulation } from './simulation.ts'

export interface RestartOptions {
  /** How many nodes of the plan are members. */
  readonly members: number
  /** ms for all to follow the maps of the validators; default a minute, or three epochs. */
  readonly limitMs?: number
}

/**
 * Starts the first nodes of the plan as they start again, all at once: with the certificate and the map that they stored when all of them
 * ran. Waits until each holds a newer map, of all members: for networks too large to be admitted one by one.
 * @throws WeftError E_SIMULATION_STUCK
 */
export async function restartNetwork(simulation: Simulation, options: RestartOptions): Promise<void> {
  const { nodes, file } = simulation
  const { members, limitMs = Math.max(60_000, 3 * file.mapEpochMs) } = options
  const wanted = nodes.slice(0, members)
  storeNetwork(
    file,
    wanted.map(({ plan, stores }) => ({ ...plan, region: plan.site.region, stores })),
    simulation.time,
  )
  const held = simulation.time
  for (const node of wanted) await simulation.start(node)
  const follows = ({ overlay }: (typeof wanted)[number]): boolean =>
    overlay?.membership.members().length === members && (overlay.membership.status().signedAt ?? 0) > held
  await simulation.until(`${members} nodes follow the maps again`, () => wanted.every(follows), limitMs)
}
