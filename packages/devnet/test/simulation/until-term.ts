import type { Simulation } from '../../src/simulation/simulation.ts'
import { overlayOf } from './overlay-of.ts'

/** Until every running node holds a map that validators of this term signed. */
export async function untilTerm(simulation: Simulation, number: number): Promise<void> {
  await simulation.until(
    `all are in term ${number}`,
    () =>
      simulation.running().every((node) => {
        const overlay = overlayOf(node)
        const { number: known, fromEpoch } = overlay.term()
        return known === number && (overlay.membership.status().epoch ?? 0) >= fromEpoch
      }),
    5 * 60_000,
  )
}
