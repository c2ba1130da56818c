import assert from 'node:assert/strict'
import { test } from 'node:test'
import { growNetwork } from '../../src/simulation/grow-network.ts'
import type { SimulatedNode } from '../../src/simulation/simulated-node.ts'
import { Simulation } from '../../src/simulation/simulation.ts'
import { overlayOf } from './overlay-of.ts'
import { untilTerm } from './until-term.ts'

const MEMBERS = 12
const VALIDATORS = 4
/** ms out of the maps after which a validator's seat is another's. */
const LAPSE_MS = 30_000

test('the seats of validators that stay away go to members that asked for one, one after the other', async (t) => {
  using simulation = new Simulation({
    seed: 'handover',
    members: MEMBERS,
    validators: VALIDATORS,
    candidates: 3,
    recoveryAfterMs: LAPSE_MS,
  })
  await growNetwork(simulation, { members: MEMBERS })
  const [first, second] = simulation.nodes as [SimulatedNode, SimulatedNode]
  const idOf = (node: SimulatedNode): string => overlayOf(node).self
  const candidates = new Set(simulation.nodes.slice(VALIDATORS, VALIDATORS + 3).map(idOf))
  const goneFirst = idOf(first)
  const goneAt = simulation.now

  simulation.kill(first, 'gone')
  await untilTerm(simulation, 1)
  t.diagnostic(`a seat passed on ${((simulation.now - goneAt) / 1_000).toFixed(1)} s after its validator went`)
  const survivor = simulation.nodes.at(-1) as SimulatedNode
  const seated = overlayOf(survivor).term().validators
  assert.equal(seated.length, VALIDATORS)
  assert.ok(seated.every(({ id }) => id !== goneFirst))
  assert.equal(seated.filter(({ id }) => candidates.has(id)).length, 1, 'one candidate got it')

  // Of four validators one may be away: with the seat of the first empty this one could not.
  simulation.kill(second, 'gone')
  await untilTerm(simulation, 2)
  const now = overlayOf(survivor).term().validators
  assert.equal(now.filter(({ id }) => candidates.has(id)).length, 2)
  assert.equal(new Set(simulation.running().map((node) => JSON.stringify(overlayOf(node).term().validators))).size, 1)

  // Who lost its seat comes back as a member like others, with the wish for a seat.
  await simulation.start(first)
  const back = overlayOf(first)
  await simulation.until('it is a member again', () => {
    const admission = back.admission()
    return admission.state === 'certified' && admission.inMap && back.term().number === 2
  })
  assert.ok(!back.term().validators.some(({ id }) => id === back.self))
})
