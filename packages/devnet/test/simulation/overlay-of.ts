import assert from 'node:assert/strict'
import type { Overlay } from '@weft/overlay'
import type { SimulatedNode } from '../../src/simulation/simulated-node.ts'

/** The overlay of a node that has to run. */
export function overlayOf({ overlay, name }: SimulatedNode): Overlay {
  assert.ok(overlay !== undefined, `${name} runs`)
  return overlay
}
