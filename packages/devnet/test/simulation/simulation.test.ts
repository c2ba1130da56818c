import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@weft/core'
import type { Overlay } from '@weft/overlay'
import { growNetwork } from '../../src/simulation/grow-network.ts'
import type { SimulatedNode } from '../../src/simulation/simulated-node.ts'
import { Simulation } from '../../src/simulation/simulation.ts'

const HOUR_MS = 3_600_000

function overlayOf(node: SimulatedNode | undefined): Overlay {
  assert.ok(node?.overlay !== undefined, 'the node runs')
  return node.overlay
}

/** Grows a network, writes and reads a record, loses a node, brings it back: a little of everything. */
async function play(seed: string): Promise<{ digest: string; lines: string }> {
  let lines = ''
  using simulation = new Simulation({ seed, members: 9, sink: (some) => (lines += some) })
  await growNetwork(simulation, { members: 9 })
  const [writer, reader, victim] = simulation.nodes.slice(4) as [SimulatedNode, SimulatedNode, SimulatedNode]
  const { key } = await simulation.settle(
    overlayOf(writer).records.putImmutable(utf8('value'), simulation.time + HOUR_MS),
  )
  simulation.kill(victim)
  await simulation.run(2_000)
  await simulation.settle(overlayOf(reader).records.get(key))
  await simulation.start(victim)
  await simulation.run(2_000)
  return { digest: simulation.trace.digest(), lines }
}

test('the same seed gives the same trace to the byte, and another seed another one', async () => {
  const first = await play('one')
  const again = await play('one')
  assert.equal(again.lines, first.lines)
  assert.equal(again.digest, first.digest)
  const other = await play('two')
  assert.notEqual(other.digest, first.digest)
})

test('twenty nodes are admitted, keep records while a third of their holders is gone, and take a lost node back', async () => {
  using simulation = new Simulation({ seed: 'twenty', members: 20 })
  await growNetwork(simulation, { members: 20 })
  const [writer, reader, ...others] = simulation.nodes.slice(4) as [SimulatedNode, SimulatedNode, ...SimulatedNode[]]
  const expiresAt = simulation.time + HOUR_MS
  const put = await simulation.settle(
    overlayOf(writer).records.putMutable({
      owner: writer.plan.key,
      salt: utf8('salt'),
      sequence: 1,
      expiresAt,
      value: utf8('kept'),
    }),
  )
  assert.equal(put.holders, 20)
  assert.ok(put.acknowledged >= 14)

  // f of the twenty holders, two of them with their machines.
  const lost = others.slice(0, 6)
  for (const [at, node] of lost.entries()) simulation.kill(node, at < 2 ? 'gone' : 'ended')
  await simulation.until(
    'the reader sees who was killed',
    () => lost.slice(2).every(({ id }) => overlayOf(reader).peer(id).state === 'unreachable'),
    10_000,
  )
  const read = (): ReturnType<Overlay['records']['getMutable']> =>
    simulation.settle(overlayOf(reader).records.getMutable(writer.plan.key.publicKey, utf8('salt')))
  assert.deepEqual([(await read()).value, (await read()).quorum], [utf8('kept'), true])

  const back = lost.at(-1) as SimulatedNode
  await simulation.start(back)
  const state = overlayOf(back).admission()
  assert.equal(state.state, 'certified', 'its certificate outlived it')
  await simulation.until('it is connected again', () => overlayOf(reader).peer(back.id).state === 'connected', 30_000)

  // Of four validators one may fail; with two gone no map is signed.
  const epoch = (): number => overlayOf(reader).membership.status().epoch ?? 0
  simulation.kill(simulation.nodes[0] as SimulatedNode)
  let before = epoch()
  await simulation.run(30_000)
  assert.ok(epoch() >= before + 3, 'three of four validators go on')
  simulation.kill(simulation.nodes[1] as SimulatedNode)
  await simulation.run(5_000)
  before = epoch()
  await simulation.run(30_000)
  assert.equal(epoch(), before, 'two of four sign nothing')
  assert.equal(overlayOf(reader).membership.status().fault?.code, 'E_MAP_STALE')
})

test('a cut network serves what a quorum of holders is on the side of, and heals', async () => {
  using simulation = new Simulation({ seed: 'cut', members: 10 })
  await growNetwork(simulation, { members: 10 })
  const [few, many] = [simulation.nodes[9], simulation.nodes[8]] as [SimulatedNode, SimulatedNode]
  const expiresAt = simulation.time + HOUR_MS
  const put = (from: SimulatedNode, value: string): Promise<unknown> =>
    simulation.settle(overlayOf(from).records.putImmutable(utf8(value), expiresAt))
  simulation.internet.partition(({ name }) => Number(name === few.name))
  await simulation.run(1_000)
  await put(many, 'on this side')
  await assert.rejects(put(few, 'alone'), { code: 'E_RECORD_QUORUM' })
  simulation.internet.heal()
  await simulation.run(20_000)
  await put(few, 'together')
})

test('a stalled node is silent and goes on where it stood', async () => {
  using simulation = new Simulation({ seed: 'stall', members: 6 })
  await growNetwork(simulation, { members: 6 })
  const [stalled, other] = [simulation.nodes[5], simulation.nodes[4]] as [SimulatedNode, SimulatedNode]
  stalled.stall()
  await assert.rejects(simulation.settle(overlayOf(other).ping(stalled.id)), { code: 'E_NODE_UNREACHABLE' })
  await simulation.run(5_000)
  stalled.resume()
  await simulation.until('it answers', () => overlayOf(other).peer(stalled.id).state === 'connected', 20_000)
  const before = overlayOf(stalled).membership.status().epoch ?? 0
  await simulation.run(10_000)
  assert.ok((overlayOf(stalled).membership.status().epoch ?? 0) > before)
})

test('a wait that does not come true says where and under which seed', async () => {
  using simulation = new Simulation({ seed: 'never', members: 4 })
  await assert.rejects(
    simulation.until('pigs fly', () => false, 1_000),
    {
      code: 'E_SIMULATION_STUCK',
      cause: /seed 'never'.*pigs fly.*1000 ms/,
    },
  )
  await assert.rejects(simulation.settle(new Promise(() => {}), 1_000), { code: 'E_SIMULATION_STUCK' })
})
