import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { silentLogger } from '@weft/core'
import fc from 'fast-check'
import { BeaconHistory } from '../../src/beacon/beacon-history.ts'
import { KEPT_BEACONS } from '../../src/beacon/beacon-store.ts'
import type { Beacon } from '../../src/beacon/beacon.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'

const beacon = (epoch: number, previous: number, fill = epoch): Beacon => ({
  epoch,
  value: new Uint8Array(32).fill(fill),
  previous,
})

describe('the beacons that passed by', () => {
  it('tell the first one after an epoch, or nothing where one may be missing', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(60), { minLength: 1, maxLength: 30 }),
        fc.func(fc.boolean()),
        fc.integer({ min: 0, max: 61 }),
        (epochs, isMissed, asked) => {
          const chain = epochs.toSorted((a, b) => a - b)
          const history = new BeaconHistory(new MemoryMembershipStore(), silentLogger)
          const seen = chain
            .map((epoch, at) => beacon(epoch, chain[at - 1] ?? -1))
            .filter(({ epoch }) => !isMissed(epoch))
          for (const each of seen) history.note(each)
          const right = chain.find((epoch) => epoch > asked)
          const found = history.after(asked)
          assert.equal(found?.epoch, right !== undefined && !isMissed(right) ? right : undefined)
        },
      ),
    )
  })

  it('are there after a restart, the newest of them', () => {
    const store = new MemoryMembershipStore()
    const history = new BeaconHistory(store, silentLogger)
    for (let epoch = 0; epoch <= KEPT_BEACONS; epoch++) history.note(beacon(epoch, epoch - 1, epoch % 256))
    const again = new BeaconHistory(store, silentLogger)
    assert.equal(again.newestEpoch, KEPT_BEACONS)
    for (const known of [history, again]) {
      assert.equal(known.after(-1), undefined, 'forgotten')
      assert.equal(known.after(0)?.epoch, 1)
    }
  })

  it('of which one that was made here counts at once, until a map goes without it', () => {
    const history = new BeaconHistory(new MemoryMembershipStore(), silentLogger)
    let changes = 0
    history.onChange(() => changes++)
    history.note(beacon(1, -1))
    history.noteMade(beacon(2, 1))
    assert.equal(history.after(1)?.epoch, 2)
    assert.equal(history.newestEpoch, 2)
    // The map of epoch 3 carried none of epoch 2; that of epoch 3 hangs on the one of epoch 1.
    history.note(beacon(3, 1))
    assert.equal(history.after(1)?.epoch, 3)
    assert.equal(history.after(2)?.epoch, 3)
    assert.equal(changes, 3)
    history.note(beacon(3, 1))
    history.note(beacon(1, -1))
    assert.equal(changes, 3, 'nothing new')
  })
})
