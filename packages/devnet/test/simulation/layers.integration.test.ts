import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@weft/core'
import { type Layer, layerOf } from '@weft/overlay'
import { restartNetwork } from '../../src/simulation/restart-network.ts'
import type { SimulatedNode } from '../../src/simulation/simulated-node.ts'
import { Simulation } from '../../src/simulation/simulation.ts'
import { overlayOf } from './overlay-of.ts'

const MEMBERS = 120
const HOUR_MS = 3_600_000

test('nodes that start again come to a mesh of layers, over which maps and records get everywhere', async () => {
  using simulation = new Simulation({ seed: 'layers', members: MEMBERS })
  await restartNetwork(simulation, { members: MEMBERS })
  const { nodes, file } = simulation
  const { membership } = overlayOf(nodes[0] as SimulatedNode)
  assert.ok(
    membership.members().every(({ certificateEpoch }) => certificateEpoch === 0),
    'nobody had to be admitted again',
  )
  const layers = new Map(
    nodes.map(({ id }) => [id, layerOf(membership.member(id), (other) => membership.isValidator(other))]),
  )
  const count = ({ neighbours }: SimulatedNode, layer: Layer): number =>
    neighbours.filter((other) => layers.get(other) === layer).length
  const of = (layer: Layer): SimulatedNode[] => nodes.filter(({ id }) => layers.get(id) === layer)
  // Each told the validators of its certificate; soon after nobody has use for that connection.
  const isLayered = (): boolean => of('regular').every((node) => count(node, 'validator') === 0)
  await simulation.until('regular nodes have no connections to validators', isLayered, 3 * 60_000)
  for (const node of of('regular')) assert.ok(count(node, 'core') >= 2, `${node.name}: core neighbours`)
  for (const node of of('validator')) assert.equal(count(node, 'validator'), file.validators.length - 1)

  const [writer, reader] = [nodes[50], nodes[101]] as [SimulatedNode, SimulatedNode]
  const value = utf8('everywhere')
  const put = await simulation.settle(overlayOf(writer).records.putImmutable(value, simulation.time + HOUR_MS))
  assert.deepEqual((await simulation.settle(overlayOf(reader).records.get(put.key))).value, value)
  const now = Math.floor(simulation.now / file.mapEpochMs)
  for (const node of nodes) assert.ok((overlayOf(node).membership.status().epoch ?? 0) >= now - 1, node.name)
})
