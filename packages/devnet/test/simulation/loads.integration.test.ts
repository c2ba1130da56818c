import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoadStep } from '@weft/overlay'
import { restartNetwork } from '../../src/simulation/restart-network.ts'
import type { SimulatedNode } from '../../src/simulation/simulated-node.ts'
import { Simulation } from '../../src/simulation/simulation.ts'
import { overlayOf } from './overlay-of.ts'

const MEMBERS = 80
/** A slot, until it has been passed on, and the question of a node that was not told. */
const KNOWN_MS = 10_000 + 3_000 + 5_000

test('what a relay of a network of layers says of its load is known within 18 s to all that carry packets, and to a light node', async () => {
  using simulation = new Simulation({ seed: 'loads', members: MEMBERS })
  await restartNetwork(simulation, { members: MEMBERS })
  const { nodes } = simulation
  const relays = nodes.filter(({ plan }) => plan.roles.includes('relay'))
  const light = nodes.find(({ plan }) => !plan.roles.includes('relay') && plan.name !== 'v1') as SimulatedNode
  assert.ok(relays.length > 10)
  const steps = new Map<SimulatedNode, LoadStep>(relays.map((node) => [node, 0]))
  for (const node of relays) overlayOf(node).loads.publish(() => steps.get(node))
  overlayOf(light).loads.follow()
  const watchers = [...relays, light]
  const knowAll = (): boolean => watchers.every((node) => overlayOf(node).loads.all().size === relays.length)
  await simulation.until('all know of all', knowAll, 60_000)
  assert.equal(overlayOf(nodes[0] as SimulatedNode).loads.all().size, 0, 'one that did not ask knows nothing')

  const busy = relays[3] as SimulatedNode
  steps.set(busy, 4)
  await simulation.run(KNOWN_MS)
  for (const node of watchers) assert.equal(overlayOf(node).loads.get(busy.id)?.step, 4, node.name)

  simulation.kill(busy, 'gone')
  await simulation.run(90_000)
  for (const node of watchers)
    if (node !== busy) assert.equal(overlayOf(node).loads.get(busy.id), undefined, `${node.name} forgets it`)
})
