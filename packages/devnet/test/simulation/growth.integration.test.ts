import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@weft/core'
import { signatureWork } from '@weft/crypto'
import type { Overlay } from '@weft/overlay'
import { growNetwork } from '../../src/simulation/grow-network.ts'
import type { SimulatedNode } from '../../src/simulation/simulated-node.ts'
import { Simulation } from '../../src/simulation/simulation.ts'

const MEMBERS = 500
const RECORDS = 40
const HOUR_MS = 3_600_000

function overlayOf({ overlay, name }: SimulatedNode): Overlay {
  assert.ok(overlay !== undefined, `${name} runs`)
  return overlay
}

test(`${MEMBERS} nodes are admitted one by one, and keep every record when a quarter of them is killed at once`, async (t) => {
  const cpu = process.cpuUsage()
  const signatures = signatureWork()
  using simulation = new Simulation({ seed: 'five hundred', members: MEMBERS })
  await growNetwork(simulation, { members: MEMBERS })
  const grownAt = simulation.now

  const members = simulation.nodes.slice(simulation.file.validators.length)
  const values = Array.from({ length: RECORDS }, (_, at) => utf8(`record ${at}`))
  const expiresAt = simulation.time + HOUR_MS
  const puts = values.map((value, at) => {
    const writer = members[(at * 7) % members.length] as SimulatedNode
    return overlayOf(writer).records.putImmutable(value, expiresAt)
  })
  const keys = (await simulation.settle(Promise.all(puts))).map(({ key, holders, acknowledged }) => {
    assert.equal(holders, 20)
    assert.ok(acknowledged >= 14)
    return key
  })

  const victims = members.filter((_, at) => at % 4 === 3)
  for (const node of [...victims, simulation.nodes[0] as SimulatedNode]) simulation.kill(node)
  const gets = keys.map((key, at) => {
    const reader = members[(at * 4 + 1) % members.length] as SimulatedNode
    return overlayOf(reader).records.get(key)
  })
  const read = await simulation.settle(Promise.all(gets))
  assert.deepEqual(
    read.map(({ value }) => value),
    values,
  )

  // Of four validators one is gone: the map of each epoch that is not its turn is signed, and reaches everybody.
  await simulation.run(2 * simulation.file.mapEpochMs)
  const epochs = simulation.running().map((node) => overlayOf(node).membership.status().epoch ?? 0)
  const now = Math.floor(simulation.now / simulation.file.mapEpochMs)
  assert.ok(Math.min(...epochs) >= now - 2, `epoch ${now}; the furthest behind is at ${Math.min(...epochs)}`)

  const { user, system } = process.cpuUsage(cpu)
  const { made, asked, verified } = signatureWork()
  t.diagnostic(
    `grown in ${(grownAt / 1_000).toFixed(1)} s of the simulation, ${(simulation.now / 1_000).toFixed(1)} s in all`,
  )
  t.diagnostic(
    `${((user + system) / 1e6).toFixed(1)} s of a core, ${simulation.trace.events} events, ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`,
  )
  t.diagnostic(
    `signatures: ${made - signatures.made} made, ${asked - signatures.asked} asked for, ${verified - signatures.verified} verified`,
  )
  t.diagnostic(`trace ${simulation.trace.digest()}`)
})

test('sixty nodes grow the same way twice, to the byte', async () => {
  const digest = async (seed: string): Promise<string> => {
    using simulation = new Simulation({ seed, members: 60 })
    await growNetwork(simulation, { members: 60 })
    return simulation.trace.digest()
  }
  const first = await digest('sixty')
  assert.equal(await digest('sixty'), first)
  assert.notEqual(await digest('other'), first)
})
