import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@weft/core'
import { growNetwork } from '../../src/simulation/grow-network.ts'
import type { SimulatedNode } from '../../src/simulation/simulated-node.ts'
import { Simulation } from '../../src/simulation/simulation.ts'
import { overlayOf } from './overlay-of.ts'

const MEMBERS = 30
const HOUR_MS = 3_600_000

/** Until the maps of all running nodes have exactly these members. */
async function untilMembers(simulation: Simulation, nodes: readonly SimulatedNode[], limitMs: number): Promise<number> {
  const wanted = new Set(nodes.map(({ id }) => id))
  const begin = simulation.now
  await simulation.until(
    `${nodes.length} nodes are in all maps`,
    () =>
      simulation.running().every((node) => {
        const members = overlayOf(node).membership.members()
        return members.length === wanted.size && members.every(({ id }) => wanted.has(id))
      }),
    limitMs,
  )
  return simulation.now - begin
}

test('a third of the members goes without a word: the map drops them, records are whole again, and they can come back', async (t) => {
  using simulation = new Simulation({ seed: 'gone', members: MEMBERS })
  await growNetwork(simulation, { members: MEMBERS })
  const gone = simulation.nodes.filter((_, at) => at % 3 === 2)
  const rest = simulation.nodes.filter((_, at) => at % 3 !== 2)
  const [writer, reader] = [rest[5], rest[9]] as [SimulatedNode, SimulatedNode]
  const value = utf8('survives')
  const put = await simulation.settle(overlayOf(writer).records.putImmutable(value, simulation.time + HOUR_MS))
  assert.equal(put.holders, 20)
  for (const node of gone) simulation.kill(node, 'gone')

  const ms = await untilMembers(simulation, rest, 2 * 60_000)
  t.diagnostic(`out of all maps ${(ms / 1_000).toFixed(1)} s after they went`)
  // Twenty are left, so each of them holds it now: also those that did not before.
  await simulation.run(10_000)
  const { rpc, records } = overlayOf(reader)
  for (const node of rest) {
    if (node === reader) continue
    const { record } = await simulation.settle(rpc.call(node.id, 'record.get', { key: put.key }))
    assert.ok(record !== undefined, `${node.name} holds it`)
  }
  assert.deepEqual((await simulation.settle(records.get(put.key))).value, value)

  for (const node of gone) await simulation.start(node)
  await untilMembers(simulation, simulation.nodes, 2 * 60_000)
})

test('a member that restarts at once, or is said to be away and is not, stays in every map', async () => {
  using simulation = new Simulation({ seed: 'brief', members: 12 })
  await growNetwork(simulation, { members: 12 })
  const node = simulation.nodes.at(-1) as SimulatedNode
  const observer = simulation.nodes[0] as SimulatedNode
  let left = 0
  overlayOf(observer).on('map', () => {
    if (!overlayOf(observer).membership.isMember(node.id)) left++
  })
  simulation.kill(node)
  await simulation.run(8_000)
  await simulation.start(node)
  const liar = overlayOf(simulation.nodes[5] as SimulatedNode)
  const slandered = (simulation.nodes[7] as SimulatedNode).plan.key.publicKey
  for (let i = 0; i < 10; i++) {
    for (const validator of simulation.nodes.slice(0, 4))
      await simulation.settle(liar.rpc.call(validator.id, 'absence.report', { members: [slandered] }))
    await simulation.run(5_000)
  }
  await untilMembers(simulation, simulation.nodes, 60_000)
  assert.equal(left, 0)
})

test('a member that leaves is out of the map, its records are with others, and when it is taken back it is in again', async () => {
  using simulation = new Simulation({ seed: 'leaves', members: MEMBERS })
  await growNetwork(simulation, { members: MEMBERS })
  const leaver = simulation.nodes[12] as SimulatedNode
  const others = simulation.nodes.filter((node) => node !== leaver)
  const keys = []
  for (let at = 0; at < 10; at++) {
    const writer = overlayOf(others[at] as SimulatedNode)
    keys.push(
      (await simulation.settle(writer.records.putImmutable(utf8(`value ${at}`), simulation.time + HOUR_MS))).key,
    )
  }
  const steps = new Set<string>()
  const done = await simulation.settle(
    overlayOf(leaver).leave({ onProgress: ({ step }) => void steps.add(step) }),
    60_000,
  )
  assert.deepEqual([...steps], ['leaving-map', 'records'])
  assert.equal(done.safe, done.records)
  assert.ok(done.records > 0)
  await untilMembers(simulation, others, 30_000)

  const stop = new AbortController()
  const leaving = overlayOf(others[8] as SimulatedNode).leave({ signal: stop.signal })
  leaving.catch(() => {})
  await simulation.run(300)
  stop.abort()
  await assert.rejects(simulation.settle(leaving), { code: 'E_ABORTED' })
  simulation.kill(leaver)
  await untilMembers(simulation, others, 60_000)
})
