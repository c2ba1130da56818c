import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PLACES, type Place, WAYS } from './nat-ways.ts'
import { growNetwork } from '../../src/simulation/grow-network.ts'
import type { NatKind } from '../../src/simulation/simulated-nat.ts'
import type { SimulatedNode } from '../../src/simulation/simulated-node.ts'
import { Simulation } from '../../src/simulation/simulation.ts'
import { readRecords, writeRecords } from './kept-records.ts'
import { overlayOf } from './overlay-of.ts'

const VALIDATORS = 3
const RECORDS = 20

/** How a node has another. */
function way(node: SimulatedNode, to: SimulatedNode): 'direct' | 'relay' | 'none' {
  const peer = overlayOf(node)
    .peers()
    .find(({ id }) => id === to.id)
  if (peer?.state !== 'connected') return 'none'
  return peer.relayed === true ? 'relay' : 'direct'
}

// The table is that of real processes behind nftables too (test/nat.integration.test.ts).
test('behind simulated NATs nodes are reached as behind real ones', async () => {
  const natOf = (place: Place): { readonly nat: NatKind } | object => (place === 'outside' ? {} : { nat: place })
  using simulation = new Simulation({
    seed: 'every kind of NAT',
    members: VALIDATORS + 2 * PLACES.length,
    validators: VALIDATORS,
    change: ({ name, site }) => {
      if (name.startsWith('v')) return { roles: ['validator', 'relay', 'storage'] }
      const at = Number(name.slice(1)) - 1
      const place = PLACES[at % PLACES.length] as Place
      return { roles: at < PLACES.length ? ['storage'] : ['client'], site: { ...site, ...natOf(place) } }
    },
  })
  for (const node of simulation.nodes) await simulation.start(node)
  const nodes = simulation.nodes.slice(VALIDATORS, VALIDATORS + PLACES.length)
  const clients = simulation.nodes.slice(VALIDATORS + PLACES.length)
  const isCertified = (node: SimulatedNode): boolean => overlayOf(node).admission().state === 'certified'
  await simulation.until('all nodes are certified', () => nodes.every(isCertified), 300_000)
  assert.deepEqual(
    nodes.map((node) => overlayOf(node).reach().state),
    ['direct', 'direct', 'relayed', 'relayed'],
  )
  const rowOf = (client: SimulatedNode) => nodes.map((node) => way(client, node))
  const seen = (): unknown => Object.fromEntries(clients.map((client, at) => [PLACES[at], rowOf(client)]))
  const expected = Object.fromEntries(PLACES.map((from) => [from, PLACES.map((to) => WAYS[from][to])]))
  await simulation.run(400_000)
  assert.deepEqual(seen(), expected)
})

test('a network with two of five nodes behind NAT is whole, and is so again when half of its relays are gone', async (t) => {
  const MEMBERS = 60
  using simulation = new Simulation({ seed: 'two of five', members: MEMBERS, behindNat: 0.4 })
  await growNetwork(simulation, { members: MEMBERS })
  const ways = (): Record<ReturnType<typeof way>, number> => {
    const count = { direct: 0, relay: 0, none: 0 }
    const running = simulation.running()
    for (const from of running) for (const to of running) if (from !== to) count[way(from, to)]++
    return count
  }
  const hidden = simulation.nodes.filter((node) => overlayOf(node).reach().state === 'relayed')
  t.diagnostic(`${hidden.length} nodes are behind relays; pairs: ${JSON.stringify(ways())}`)
  assert.ok(hidden.length > MEMBERS / 8 && ways().relay > hidden.length)
  await simulation.until('everybody has everybody', () => ways().none === 0)
  const isOutside = ({ plan }: SimulatedNode): boolean => plan.site.nat === undefined
  const isDirectToAll = (node: SimulatedNode): boolean =>
    simulation.nodes.every((to) => to === node || way(node, to) === 'direct')
  await simulation.until(
    'no relay stands before a node that is behind no NAT',
    () => simulation.nodes.filter(isOutside).every(isDirectToAll),
    60_000,
  )
  const records = await writeRecords(simulation, RECORDS, (at) => hidden[at % hidden.length])

  const relays = simulation.nodes.filter(({ plan }) => plan.roles.includes('relay'))
  const gone = relays.filter((_, at) => at % 2 === 0)
  for (const [at, node] of gone.entries()) simulation.kill(node, at % 2 === 0 ? 'ended' : 'gone')
  await readRecords(simulation, records, (at) => hidden[(at * 3) % hidden.length])
  const left = new Set(relays.filter((node) => !gone.includes(node)).map(({ id }) => id))
  const isServed = (node: SimulatedNode): boolean => {
    const reach = overlayOf(node).reach()
    return reach.state === 'relayed' && reach.through.length === 2 && reach.through.every((id) => left.has(id))
  }
  await simulation.until(
    'all that need one have two of the relays that are left',
    () => hidden.every(isServed),
    300_000,
  )
  await simulation.until('everybody has everybody again', () => ways().none === 0, 300_000)
  await readRecords(simulation, records, (at) => hidden[(at * 5) % hidden.length])
})
