import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@weft/core'
import { growNetwork } from '../../src/simulation/grow-network.ts'
import type { SimulatedNode } from '../../src/simulation/simulated-node.ts'
import { Simulation } from '../../src/simulation/simulation.ts'
import { overlayOf } from './overlay-of.ts'
import { untilTerm } from './until-term.ts'

const MEMBERS = 20
const VALIDATORS = 4
/** Of a term that members begin: all sixteen that are left. */
const SEATS = 16
const RECOVERY_AFTER_MS = 30_000
const TTL_MS = 120_000
const HOUR_MS = 3_600_000

/** A network whose validators of the file are all gone, a moment ago. */
async function orphaned(seed: string): Promise<Simulation> {
  const simulation = new Simulation({
    seed,
    members: MEMBERS,
    validators: VALIDATORS,
    certificateTtlMs: TTL_MS,
    recoveryAfterMs: RECOVERY_AFTER_MS,
  })
  await growNetwork(simulation, { members: MEMBERS })
  for (const node of simulation.nodes.slice(0, VALIDATORS)) simulation.kill(node, 'gone')
  return simulation
}

test('all validators of the file are gone: others take their seats, and every certificate is renewed by them', async (t) => {
  using simulation = await orphaned('orphans')
  const survivors = simulation.running()
  const goneAt = simulation.now
  const record = await simulation.settle(
    overlayOf(survivors[0] as SimulatedNode).records.putImmutable(utf8('kept'), simulation.time + HOUR_MS),
  )

  await untilTerm(simulation, 1)
  t.diagnostic(`${((simulation.now - goneAt) / 1_000).toFixed(1)} s after they went`)
  const terms = new Set(survivors.map((node) => JSON.stringify(overlayOf(node).term().validators)))
  assert.equal(terms.size, 1, 'all know the same validators')
  const { validators, fromEpoch } = overlayOf(survivors[0] as SimulatedNode).term()
  assert.equal(validators.length, SEATS)
  const there = new Set(survivors.map((node) => overlayOf(node).self))
  assert.ok(validators.every(({ id }) => there.has(id)))

  // Longer than any certificate of the old validators lasts.
  await simulation.run(TTL_MS + 3 * simulation.file.mapEpochMs)
  for (const node of survivors) {
    const admission = overlayOf(node).admission()
    assert.ok(admission.state === 'certified' && admission.inMap && admission.epoch >= fromEpoch, node.name)
  }
  const members = overlayOf(survivors[0] as SimulatedNode).membership.members()
  assert.deepEqual(new Set(members.map(({ id }) => id)), there)
  assert.deepEqual(
    new Set(members.filter(({ roles }) => roles.includes('validator')).map(({ id }) => id)),
    new Set(validators.map(({ id }) => id)),
  )
  const reader = survivors.at(-1) as SimulatedNode
  const { value } = await simulation.settle(overlayOf(reader).records.get(record.key))
  assert.deepEqual(value, utf8('kept'))
})

test('validators that come back find their seats taken, and are members like others', async () => {
  using simulation = await orphaned('back again')
  await untilTerm(simulation, 1)
  for (const node of simulation.nodes.slice(0, VALIDATORS)) await simulation.start(node)
  await untilTerm(simulation, 1)
  const { fromEpoch } = overlayOf(simulation.nodes[0] as SimulatedNode).term()
  await simulation.until(
    'they are certified by the new ones',
    () =>
      simulation.nodes.every((node) => {
        const admission = overlayOf(node).admission()
        return admission.state === 'certified' && admission.inMap && admission.epoch >= fromEpoch
      }),
    2 * TTL_MS,
  )
})

test('nobody takes their seats while a quorum of them is there, nor where too few others are left', async () => {
  using simulation = new Simulation({
    seed: 'not yet',
    members: MEMBERS,
    validators: VALIDATORS,
    recoveryAfterMs: RECOVERY_AFTER_MS,
  })
  await growNetwork(simulation, { members: MEMBERS })
  simulation.kill(simulation.nodes[0] as SimulatedNode, 'gone')
  await simulation.run(3 * RECOVERY_AFTER_MS)
  assert.ok(simulation.running().every((node) => overlayOf(node).term().number === 0))
  for (const node of simulation.nodes.slice(1, VALIDATORS)) simulation.kill(node, 'gone')
  // Sixteen electors, of whom eleven must agree.
  for (const node of simulation.nodes.slice(VALIDATORS, VALIDATORS + 6)) simulation.kill(node, 'gone')
  await simulation.run(4 * RECOVERY_AFTER_MS)
  assert.ok(simulation.running().every((node) => overlayOf(node).term().number === 0))
})
