import assert from 'node:assert/strict'
import { test } from 'node:test'
import { growNetwork } from '../../src/simulation/grow-network.ts'
import type { SimulatedNode } from '../../src/simulation/simulated-node.ts'
import { Simulation } from '../../src/simulation/simulation.ts'
import { overlayOf } from './overlay-of.ts'
import { untilTerm } from './until-term.ts'

const MEMBERS = 12
const VALIDATORS = 4
const CANDIDATES = 4
const EPOCH_MS = 5_000
/** ms, 16 map epochs: the fewest that a network file may say. */
const ROTATE_MS = 80_000
const ROTATIONS = 4

test('seats rotate among all who ask for one, while maps go on, nodes join, and others are away', async (t) => {
  using simulation = new Simulation({
    seed: 'rotation',
    members: MEMBERS + 2,
    validators: VALIDATORS,
    candidates: CANDIDATES,
    mapEpochMs: EPOCH_MS,
    rotateMs: ROTATE_MS,
  })
  const [early, newcomer] = simulation.nodes.slice(MEMBERS) as [SimulatedNode, SimulatedNode]
  const away = simulation.nodes[MEMBERS - 1] as SimulatedNode
  const first = simulation.nodes[0] as SimulatedNode
  await growNetwork(simulation, { members: MEMBERS })
  const willing = new Set(simulation.nodes.slice(0, VALIDATORS + CANDIDATES).map((node) => overlayOf(node).self))
  simulation.kill(away, 'gone')

  const seated = new Set<string>()
  const begin = overlayOf(first).term().number
  for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
    const before = overlayOf(first).term()
    if (rotation === ROTATIONS) {
      // It applies to validators of whom one gives up its seat meanwhile.
      const agreed = (): boolean => overlayOf(first).term().number === begin + rotation
      await simulation.until('a rotation is agreed on', agreed, 2 * ROTATE_MS)
      await simulation.start(early)
    }
    await untilTerm(simulation, begin + rotation)
    const { validators, rotation: number } = overlayOf(first).term()
    for (const { id } of validators) seated.add(id)
    assert.equal(number, before.rotation + 1)
    assert.equal(validators.length, VALIDATORS)
    assert.equal(validators.filter(({ id }) => !before.isValidator(id)).length, 1, 'one seat changes hands')
    assert.ok(validators.every(({ id }) => willing.has(id)))
    t.diagnostic(`rotation ${number} after ${(simulation.now / 1_000).toFixed(1)} s`)
  }
  assert.ok(seated.size > VALIDATORS, 'several nodes have had a seat')

  // Maps went on: the newest is of this epoch or the one before, and everybody who runs is in it.
  await simulation.run(2 * EPOCH_MS)
  const epoch = Math.floor((simulation.time - simulation.file.createdAt) / EPOCH_MS)
  for (const node of simulation.running()) {
    const overlay = overlayOf(node)
    assert.ok((overlay.membership.status().epoch ?? 0) >= epoch - 1)
    assert.ok(overlay.membership.isMember(overlay.self))
  }

  // The newest term admits, and beacons go on in it; who was away for all of them catches up.
  const { number, fromEpoch } = overlayOf(first).term()
  await simulation.until('a beacon of the term is in the map', () => {
    const { beacon } = overlayOf(first).membership.status()
    return beacon !== undefined && beacon.epoch >= fromEpoch
  })
  await simulation.start(newcomer)
  await simulation.start(away)
  for (const node of [newcomer, away]) {
    const overlay = overlayOf(node)
    await simulation.until('it is a member', () => {
      const admission = overlay.admission()
      return admission.state === 'certified' && admission.inMap
    })
    assert.ok(overlay.term().number >= number)
  }
})
