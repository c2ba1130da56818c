import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rememberSignatures } from '@weft/crypto'
import { SLOT_MS, refreshMs } from '../../src/load/load-limits.ts'
import type { LoadStep } from '../../src/load/load-step.ts'
import type { Role } from '../../src/member.ts'
import { LoadNetwork } from './load-network.ts'

/** Neighbours of a node of the core, along its layer (docs/specs/mesh.md). */
const RINGS = 12
/** A quarter of the members carry packets. */
const SHARE = 4
/** s between two changes of a node's step, on average. */
const CHANGE_EVERY = 600

/** A linear congruential generator (Numerical Recipes), 0 to 1. */
function uniformFrom(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

for (const { members, most, light } of [
  { members: 100, most: 1_000, light: 300 },
  { members: 1_000, most: 1_700, light: 500 },
]) {
  test(`in a network of ${members} a node that carries packets pays for loads at most ${most} bytes a second, another that wants them ${light}`, async () => {
    const carriers = members / SHARE
    const lights = 3
    const uniform = uniformFrom(members)
    const links = Array.from({ length: carriers }, () => new Set<number>())
    for (const [index, mine] of links.entries())
      for (let ring = 0; ring < Math.min(RINGS, carriers - 1); ring++) {
        const other = Math.floor(uniform() * carriers)
        if (other === index) continue
        mine.add(other)
        links[other]?.add(index)
      }
    const roles = Array.from({ length: carriers + lights }, (_, index): readonly Role[] =>
      index < carriers ? ['relay'] : ['storage'],
    )
    const near = links.map((each) => [...each])
    await using network = new LoadNetwork(roles, (index) => near[index] ?? [1, 2, 3])
    rememberSignatures(8 * carriers)
    const steps = Array.from({ length: carriers }, () => Math.floor(uniform() * 4) as LoadStep)
    for (let index = 0; index < carriers; index++) {
      network.node(index).loads.publish(() => {
        if (uniform() < SLOT_MS / 1_000 / CHANGE_EVERY) steps[index] = Math.floor(uniform() * 4) as LoadStep
        return steps[index]
      })
    }
    for (const { loads } of network.nodes.slice(carriers)) loads.follow()
    // What all say at their start is over.
    await network.clock.advance(60_000)
    for (const node of network.nodes) node.bytes = 0
    const seconds = Math.min(240, 2 * (refreshMs(carriers) / 1_000))
    await network.clock.advance(seconds * 1_000)
    const rate = (from: number, to: number): number =>
      network.nodes.slice(from, to).reduce((sum, { bytes }) => sum + bytes, 0) / (to - from) / seconds
    const [ofCarriers, ofLight] = [rate(0, carriers), rate(carriers, carriers + lights)]
    let fresh = 0
    for (const { loads } of network.nodes)
      for (const [index, { key }] of network.nodes.slice(0, carriers).entries())
        if (loads.get(key.id)?.step === steps[index]) fresh++
    const right = fresh / (network.nodes.length * carriers)
    if (process.env['WEFT_FIGURES'] !== undefined)
      console.log({ members, carriers, ofCarriers, ofLight, ofAll: ofCarriers / SHARE, right })
    assert.ok(ofCarriers <= most, `carriers: ${ofCarriers.toFixed(0)} bytes a second`)
    assert.ok(ofLight <= light, `light: ${ofLight.toFixed(0)} bytes a second`)
    assert.ok(right > 0.98, `${(100 * right).toFixed(2)} % of what nodes know is as it is`)
  })
}
