import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { beaconToWire } from '../../src/beacon/beacon-wire.ts'
import type { Beacon } from '../../src/beacon/beacon.ts'
import { findBeacon } from '../../src/beacon/find-beacon.ts'
import { MemoryNetwork } from '../memory-network.ts'

const RIGHT: Beacon = { epoch: 12, previous: 9, value: new Uint8Array(32).fill(1) }
const FORGED: Beacon = { epoch: 11, previous: 9, value: new Uint8Array(32).fill(2) }

/** What a node finds of the beacon after epoch 10 where each of its validators says this; the first is asked first. */
async function found(...said: readonly (Beacon | undefined | Error)[]): Promise<Beacon | undefined> {
  const memory = new MemoryNetwork(new VirtualClock(0))
  const others = said.map((beacon) => {
    const { id } = SigningKey.generate()
    memory.add(id).rpc.handle('beacon.get', async () => {
      if (beacon instanceof Error) throw beacon
      return beaconToWire(beacon)
    })
    return id
  })
  const { rpc } = memory.add(SigningKey.generate().id)
  return findBeacon({ rpc, others, someHonest: 2 }, 10, new AbortController().signal)
}

test('the beacon is what more validators say than may lie, whoever of them is asked first', async () => {
  assert.deepEqual(await found(FORGED, RIGHT, RIGHT, RIGHT), RIGHT)
  assert.deepEqual(await found(RIGHT, new Error('down'), RIGHT, FORGED), RIGHT)
})

test('what one validator alone says is no beacon: a node whose beacon nobody else knows goes on without', async () => {
  assert.equal(await found(FORGED, undefined, undefined, undefined), undefined)
  assert.equal(await found(undefined, new Error('down')), undefined)
})

test('a beacon that does not follow on the epoch is none', async () => {
  const [late, early] = [
    { ...RIGHT, previous: 11 },
    { ...RIGHT, epoch: 10, previous: 8 },
  ]
  assert.equal(await found(late, late, early, early), undefined)
})
