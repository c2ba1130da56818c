import assert from 'node:assert/strict'
import type { Overlay } from '@weft/overlay'
import type { SimulatedNode } from '../../src/simulation/simulated-node.ts'
import type { Simulation } from '../../src/simulation/simulation.ts'

/** The overlay of a node that runs. */
export function overlayOf({ overlay, name }: SimulatedNode): Overlay {
  assert.ok(overlay !== undefined, `${name} runs`)
  return overlay
}

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
