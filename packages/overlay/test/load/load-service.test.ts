import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import type { Role } from '../../src/member.ts'
import { LIGHT_ASKS_MS, SLOT_MS, SOURCE_MS, lifeMs } from '../../src/load/load-limits.ts'
import { encodeLoads, signLoad, slotAt } from '../../src/load/load-statement.ts'
import type { LoadStep } from '../../src/load/load-step.ts'
import { LoadNetwork, NETWORK } from './load-network.ts'

const RELAY: readonly Role[] = ['relay']
const STORAGE: readonly Role[] = ['storage']
const CLIENT: readonly Role[] = ['client']

const relays = (count: number): (readonly Role[])[] => Array.from({ length: count }, () => RELAY)

test('a change of a step is known to all nodes that carry packets within a slot and 3 s, and to a light one 4 s later', async () => {
  await using network = new LoadNetwork([...relays(12), STORAGE, CLIENT])
  const steps: LoadStep[] = relays(12).map(() => 0)
  for (const [index, { loads }] of network.nodes.slice(0, 12).entries()) loads.publish(() => steps[index])
  for (const { loads } of network.nodes.slice(12)) loads.follow()
  await network.clock.advance(2 * SLOT_MS + 10_000)
  const busy = network.node(3).key.id
  for (const { loads } of network.nodes) assert.equal(loads.get(busy)?.step, 0)
  steps[3] = 4
  await network.clock.advance(SLOT_MS + 3_000)
  for (const { loads } of network.nodes.slice(0, 12)) assert.equal(loads.get(busy)?.step, 4)
  await network.clock.advance(LIGHT_ASKS_MS)
  for (const { loads } of network.nodes) assert.equal(loads.get(busy)?.step, 4)
})

test('who neither carries packets nor asked for it is told nothing, and nobody says what the map does not have it carry', async () => {
  await using network = new LoadNetwork([...relays(3), STORAGE])
  for (const { loads } of network.nodes) loads.publish(() => 1)
  await network.clock.advance(6 * SLOT_MS)
  assert.equal(network.node(0).loads.all().size, 3)
  const storage = network.node(3)
  assert.equal(storage.loads.all().size, 0)
  assert.equal(storage.bytes, 0)
  const stop = storage.loads.follow()
  await network.clock.advance(LIGHT_ASKS_MS)
  assert.equal(storage.loads.all().size, 3)
  stop()
  await network.clock.advance(LIGHT_ASKS_MS)
  const { bytes } = storage
  await network.clock.advance(6 * SLOT_MS)
  assert.equal(storage.bytes, bytes)
})

test('a load that is not said anew is unknown after 60 s, and listeners hear of it', async () => {
  await using network = new LoadNetwork(relays(4))
  const stop = network.node(0).loads.publish(() => 2)
  await network.clock.advance(3 * SLOT_MS)
  const { loads } = network.node(1)
  const { id } = network.node(0).key
  assert.equal(loads.get(id)?.step, 2)
  stop()
  let heard = 0
  loads.onChange(() => heard++)
  await network.clock.advance(lifeMs(4) - 2 * SLOT_MS)
  assert.equal(lifeMs(4), 60_000)
  await network.clock.advance(3 * SLOT_MS)
  assert.equal(loads.get(id), undefined)
  assert.equal(loads.all().size, 0)
  assert.equal(heard, 1)
})

test('statements that are forged, old, of the future or of nobody who carries packets change nothing', async () => {
  await using network = new LoadNetwork([...relays(3), STORAGE])
  const [asked, liar, other, storage] = network.nodes as [LoadNode, LoadNode, LoadNode, LoadNode]
  const slot = slotAt(network.clock.now())
  const tell = (...statements: Parameters<typeof encodeLoads>[0]) =>
    network.settle(network.call(liar.key.id, asked.key.id, 'load.tell', { statements: encodeLoads(statements) }))
  const truth = signLoad(NETWORK, slot, 3, other.key)
  await tell(
    { ...truth, step: 0 },
    { ...truth, slot: slot + 1 },
    { ...signLoad(NETWORK, slot, 0, liar.key), prefix: truth.prefix },
    signLoad('wother', slot, 0, other.key),
    signLoad(NETWORK, slot - 7, 1, other.key),
    signLoad(NETWORK, slot + 5, 1, other.key),
    signLoad(NETWORK, slot, 1, storage.key),
    signLoad(NETWORK, slot, 4, asked.key),
  )
  assert.equal(asked.loads.all().size, 0)
  await tell(truth)
  assert.equal(asked.loads.get(other.key.id)?.step, 3)
  await tell(signLoad(NETWORK, slot - 1, 1, other.key))
  assert.equal(asked.loads.get(other.key.id)?.step, 3, 'what was said before does not come back')
  await assert.rejects(
    network.settle(network.call(liar.key.id, asked.key.id, 'load.tell', { statements: new Uint8Array(78) })),
    (error) => isWeftError(error, 'E_LOAD_MALFORMED'),
  )
})

test('forged statements of one sender are verified up to a rate, and others are heard meanwhile', async () => {
  await using network = new LoadNetwork(relays(4))
  const [asked, liar, other, honest] = network.nodes as [LoadNode, LoadNode, LoadNode, LoadNode]
  const slot = slotAt(network.clock.now())
  const truth = encodeLoads([signLoad(NETWORK, slot, 3, other.key)])
  const forged = encodeLoads(Array.from({ length: 64 }, () => signLoad('wother', slot, 1, other.key)))
  const tell = (from: LoadNode, statements: Uint8Array) =>
    network.call(from.key.id, asked.key.id, 'load.tell', { statements })
  await network.settle(Promise.all([...Array.from({ length: 9 }, () => tell(liar, forged)), tell(liar, truth)]))
  assert.equal(asked.loads.all().size, 0, 'the liar is heard no more')
  await network.settle(tell(honest, truth))
  assert.equal(asked.loads.get(other.key.id)?.step, 3)
})

test('a light node takes nothing of a source that passes on what is not signed, and leaves it', async () => {
  await using network = new LoadNetwork([...relays(2), CLIENT], (index) => (index === 2 ? near : []))
  const near = [0]
  const slot = slotAt(network.clock.now())
  const forged = encodeLoads([{ ...signLoad(NETWORK, slot, 1, network.node(1).key), step: 2 }])
  let asked = 0
  network.replace(0, 'load.list', async (_, { id }) => {
    if (id === network.node(2).key.id) asked++
    return { book: new Uint8Array(8), last: 1n, statements: forged, more: true }
  })
  const { loads } = network.node(2)
  loads.follow()
  await network.clock.advance(LIGHT_ASKS_MS / 2)
  assert.equal(asked, 1, 'one page of it is enough')
  assert.equal(loads.all().size, 0)
  near[0] = 1
  network.node(1).loads.publish(() => 3)
  await network.clock.advance(3 * SLOT_MS)
  assert.equal(loads.get(network.node(1).key.id)?.step, 3)
})

test('a light node asks another source after half an hour', async () => {
  await using network = new LoadNetwork([...relays(2), CLIENT], (index) => (index === 2 ? near : []))
  const near = [0]
  let asked = 0
  network.replace(0, 'load.list', async (_, { id }) => {
    if (id === network.node(2).key.id) asked++
    return { book: new Uint8Array(8), last: 0n, statements: new Uint8Array(), more: false }
  })
  network.node(1).loads.publish(() => 3)
  const { loads } = network.node(2)
  loads.follow()
  await network.clock.advance(LIGHT_ASKS_MS / 2)
  assert.equal(asked, 1)
  near[0] = 1
  await network.clock.advance(SOURCE_MS - LIGHT_ASKS_MS)
  assert.equal(loads.all().size, 0, 'it keeps to its source')
  await network.clock.advance(2 * LIGHT_ASKS_MS)
  assert.equal(loads.get(network.node(1).key.id)?.step, 3)
})

test('a light node reads no more pages than there can be', async () => {
  await using network = new LoadNetwork([...relays(2), CLIENT], (index) => (index === 2 ? [0] : []))
  let asked = 0
  network.replace(0, 'load.list', async (_, { id }) => {
    if (id === network.node(2).key.id) asked++
    return { book: new Uint8Array(8), last: 0n, statements: new Uint8Array(), more: true }
  })
  network.node(2).loads.follow()
  await network.clock.advance(LIGHT_ASKS_MS / 2)
  assert.equal(asked, 3)
})

test('who hears of a node before its map has it asks for all again when the map comes', async () => {
  await using network = new LoadNetwork([...relays(3), CLIENT])
  const all = network.members
  for (const { loads } of network.nodes.slice(0, 3)) loads.publish(() => 1)
  await network.clock.advance(3 * SLOT_MS)
  const client = network.node(3)
  network.changeMapOf(3, all.slice(0, 2))
  client.loads.follow()
  await network.clock.advance(LIGHT_ASKS_MS)
  assert.equal(client.loads.all().size, 2)
  network.changeMapOf(3, all)
  // Nobody says anything anew meanwhile.
  await network.clock.advance(LIGHT_ASKS_MS + 1_000)
  assert.equal(client.loads.all().size, 3)
})

test('a change of the map takes out who carries no more', async () => {
  await using network = new LoadNetwork(relays(3))
  for (const { loads } of network.nodes) loads.publish(() => 1)
  await network.clock.advance(3 * SLOT_MS)
  const { loads } = network.node(0)
  assert.equal(loads.all().size, 3)
  network.changeMap(network.members.map((member, index) => (index === 2 ? { ...member, roles: STORAGE } : member)))
  assert.deepEqual(
    [...loads.all().keys()].sort(),
    network.members
      .slice(0, 2)
      .map(({ id }) => id)
      .sort(),
  )
})

type LoadNode = LoadNetwork['nodes'][number]
