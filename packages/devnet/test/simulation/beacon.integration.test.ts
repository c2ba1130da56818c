import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MapStatus, type Member, beaconPosition } from '@weft/overlay'
import { utf8 } from '@weft/core'
import { fromDidKey } from '@weft/crypto'
import { growNetwork } from '../../src/simulation/grow-network.ts'
import type { SimulatedNode } from '../../src/simulation/simulated-node.ts'
import { Simulation } from '../../src/simulation/simulation.ts'
import { overlayOf } from './overlay-of.ts'

const MEMBERS = 12
const VALIDATORS = 4

function statusOf(node: SimulatedNode): MapStatus {
  return overlayOf(node).membership.status()
}

/** Of all nodes that run, by map epoch: the beacon that the map carries. Two that differ fail the test. */
class Chain {
  readonly #byMap = new Map<number, string>()
  readonly values = new Map<number, Uint8Array>()

  watch(node: SimulatedNode): void {
    overlayOf(node).on('map', () => {
      const { epoch, beacon } = statusOf(node)
      if (epoch === undefined) return
      const text = beacon === undefined ? '' : `${beacon.epoch} ${beacon.previous} ${beacon.value.toHex()}`
      assert.equal(this.#byMap.get(epoch) ?? text, text, `all have one beacon in the map of epoch ${epoch}`)
      this.#byMap.set(epoch, text)
      if (beacon !== undefined) this.values.set(beacon.epoch, beacon.value)
    })
  }

  /** Map epochs whose map carries no beacon of the epoch before. */
  lacking(from: number): number[] {
    return [...this.#byMap].flatMap(([epoch, text]) =>
      epoch >= from && !text.startsWith(`${epoch - 1} `) ? [epoch] : [],
    )
  }
}

async function grown(seed: string): Promise<{ readonly simulation: Simulation; readonly chain: Chain }> {
  const simulation = new Simulation({ seed, members: MEMBERS, validators: VALIDATORS })
  await growNetwork(simulation, { members: MEMBERS })
  const chain = new Chain()
  for (const node of simulation.nodes) chain.watch(node)
  return { simulation, chain }
}

function placed(simulation: Simulation): readonly Member[] {
  const [first] = simulation.nodes as [SimulatedNode]
  return overlayOf(first)
    .membership.members()
    .filter(({ position }) => position !== undefined)
}

test('every epoch has a beacon, and each member stands where the first one after its admission put it', async () => {
  const { simulation, chain } = await grown('beacons')
  using _ = simulation
  const [writer, reader] = simulation.nodes.slice(-2) as [SimulatedNode, SimulatedNode]
  const { records } = overlayOf(writer)
  const { key } = await simulation.settle(records.putImmutable(utf8('kept'), simulation.time + 3_600_000))
  await simulation.until('all have their positions', () => placed(simulation).length === MEMBERS, 6 * 5_000)
  const known = [...chain.values.values()]
  for (const { id, position, certificateEpoch } of placed(simulation)) {
    assert.ok(known.some((value) => beaconPosition(fromDidKey(id), value).toHex() === position?.toHex()))
    assert.ok(certificateEpoch > 0)
  }
  const before = new Map(placed(simulation).map(({ id, position }) => [id, position?.toHex()]))
  const begun = statusOf(simulation.nodes[0] as SimulatedNode).epoch ?? 0
  await simulation.run(6 * 5_000)
  assert.deepEqual(chain.lacking(begun), [])
  const { value } = await simulation.settle(overlayOf(reader).records.get(key))
  assert.deepEqual(value, utf8('kept'), 'what was placed by keys is found by positions')
  for (const { id, position } of placed(simulation)) assert.equal(position?.toHex(), before.get(id), 'and stay there')
})

test('a validator that is killed and comes back costs no map and no beacon, and keeps its position', async () => {
  const { simulation, chain } = await grown('killed')
  using _ = simulation
  await simulation.until('all have their positions', () => placed(simulation).length === MEMBERS, 6 * 5_000)
  const [first, killed] = simulation.nodes as [SimulatedNode, SimulatedNode]
  const positionOf = (): string | undefined => overlayOf(first).membership.member(killed.id)?.position?.toHex()
  const before = positionOf()
  const begun = statusOf(first).epoch ?? 0
  simulation.kill(killed)
  await simulation.run(4 * 5_000)
  await simulation.start(killed)
  chain.watch(killed)
  await simulation.run(4 * 5_000)
  assert.equal(statusOf(first).epoch, begun + 8)
  assert.deepEqual(chain.lacking(begun), [])
  assert.equal(statusOf(killed).beacon?.epoch, statusOf(first).beacon?.epoch)
  assert.equal(positionOf(), before)
})
