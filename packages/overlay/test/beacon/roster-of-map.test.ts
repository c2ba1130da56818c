import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromDidKey } from '@weft/crypto'
import { rosterOfMap } from '../../src/beacon/roster-of-map.ts'
import { termOf } from '../../src/terms/term.ts'
import { testKeys, testNetwork } from '../fixtures.ts'

const { network } = testNetwork()
const keys = testKeys(64)
const termWith = (count: number) =>
  termOf({
    number: 0,
    fromEpoch: 0,
    rotation: 0,
    validators: keys.slice(0, count).map(({ id }) => ({ id, addresses: [], family: 'f' })),
  })
const listed = (): { roles: readonly ['validator']; beaconKey: Uint8Array } => ({
  roles: ['validator'],
  beaconKey: new Uint8Array(32),
})
const atEpochs = (seats: number, mapEpochMs: number): number[] =>
  Array.from({ length: 240 }, (_, epoch) => epoch).filter(
    (epoch) => rosterOfMap({ id: network.id, file: { mapEpochMs } }, epoch, termWith(seats), listed) !== undefined,
  )

describe('the roster of a beacon', () => {
  it('is the validators of the term in their order that list a key', () => {
    const [first] = keys
    const roster = rosterOfMap(network, 5, termWith(4), (id) => (id === first?.id ? undefined : listed()))
    assert.deepEqual(
      roster?.seats.map(({ key }) => key),
      keys.slice(1, 4).map(({ id }) => fromDidKey(id)),
    )
  })

  it('needs a quorum of them, and the role', () => {
    const only = (count: number) => (id: string) =>
      keys.findIndex((key) => key.id === id) < count ? listed() : undefined
    assert.equal(rosterOfMap(network, 5, termWith(4), only(2)), undefined)
    assert.ok(rosterOfMap(network, 5, termWith(4), only(3)))
    assert.equal(
      rosterOfMap(network, 5, termWith(4), () => ({ ...listed(), roles: ['storage'] })),
      undefined,
    )
  })

  it('is there as often as the seats permit', () => {
    assert.equal(atEpochs(7, 5_000).length, 240)
    assert.deepEqual(atEpochs(8, 5_000).slice(0, 3), [0, 12, 24])
    assert.equal(atEpochs(16, 60_000).length, 240)
    assert.deepEqual(atEpochs(17, 60_000).slice(0, 3), [0, 10, 20])
    assert.deepEqual(atEpochs(64, 5_000).slice(0, 3), [0, 120])
  })
})
