import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom, shuffled } from '@weft/core'
import fc from 'fast-check'
import type { BeaconKeyPair } from '../../src/beacon/beacon-key.ts'
import type { BeaconShare } from '../../src/beacon/beacon-share.ts'
import { beaconValue, genesisBeacon } from '../../src/beacon/beacon-value.ts'
import { IDENTITY } from '../../src/beacon/group.ts'
import { openShare, verifyShare } from '../../src/beacon/open-share.ts'
import { NETWORK, NO_ELEMENTS, agreedTally, validators } from './beacon-fixture.ts'

const REFUSED = { code: 'E_BEACON_SHARE' }

function sharesOf(count: number, seed: number, dealings?: number) {
  const test = validators(count, seed)
  const tally = agreedTally(test, dealings)
  const shares = test.keys.map((key, seat) => openShare(tally, seat, key, test.random))
  return { test, tally, shares }
}

describe('shares of the agreed set', () => {
  it('give the same value whoever is missing, as long as a quorum is there', () => {
    const previous = genesisBeacon(NETWORK)
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, 4, 7, 10), fc.nat(), (count, seed) => {
        const { test, tally, shares } = sharesOf(count, seed)
        const opened = shares.map((share) => [share.seat, verifyShare(tally, share)] as const)
        const value = beaconValue(tally, previous, new Map(opened))
        for (let run = 0; run < 3; run++) {
          const some = shuffled(test.random, opened).slice(0, tally.roster.quorum)
          assert.deepEqual(beaconValue(tally, previous, new Map(some)), value)
        }
        if (tally.roster.quorum > 1) {
          const few = new Map(opened.slice(0, tally.roster.quorum - 1))
          assert.throws(() => beaconValue(tally, previous, few), RangeError)
        }
      }),
      { numRuns: 12 },
    )
  })

  it('give another value for another value before, another set or another epoch', () => {
    const { tally, shares } = sharesOf(4, 1)
    const opened = new Map(shares.map((share) => [share.seat, verifyShare(tally, share)]))
    const values = [
      beaconValue(tally, genesisBeacon(NETWORK), opened),
      beaconValue(tally, genesisBeacon(`w${'b'.repeat(32)}`), opened),
    ]
    const more = sharesOf(4, 1, 4)
    const openedMore = new Map(more.shares.map((share) => [share.seat, verifyShare(more.tally, share)]))
    values.push(beaconValue(more.tally, genesisBeacon(NETWORK), openedMore))
    assert.equal(new Set(values.map((value) => value.toHex())).size, 3)
  })

  it('are refused when anything in them is changed, so that a wrong share is as none', () => {
    const { tally, shares } = sharesOf(4, 2)
    const [own, next] = shares as [BeaconShare, BeaconShare]
    const flip = (bytes: Uint8Array) => bytes.with(0, (bytes[0] as number) ^ 1)
    for (const change of [
      { seat: 1 },
      { seat: 9 },
      { inputs: flip(own.inputs) },
      { opening: next.opening },
      { opening: flip(own.opening) },
      { challenge: flip(own.challenge) },
      { response: flip(own.response) },
      { challenge: new Uint8Array(32), response: new Uint8Array(32) },
      ...Object.values(NO_ELEMENTS).map((hex) => ({ opening: Uint8Array.fromHex(hex) })),
    ]) {
      assert.throws(() => verifyShare(tally, { ...own, ...change }), REFUSED)
    }
    verifyShare(tally, own)
  })

  it('are refused when they were opened with another key', () => {
    const { test, tally } = sharesOf(4, 3)
    const share = openShare(tally, 0, test.keys[1] as BeaconKeyPair, test.random)
    assert.throws(() => verifyShare(tally, share), REFUSED)
  })

  it('of another set of the same epoch are refused', () => {
    const test = validators(4, 4)
    const [one, other] = [agreedTally(test), agreedTally(test)]
    assert.throws(() => verifyShare(one, openShare(other, 0, test.keys[0] as BeaconKeyPair, test.random)), REFUSED)
  })

  it('of zero add nothing', () => {
    const { tally } = sharesOf(1, 5)
    const zero = beaconValue(tally, new Uint8Array(32), new Map([[0, IDENTITY]]))
    assert.equal(zero.length, 32)
  })

  it('differ in every epoch, though keys and seats are the same', () => {
    const random = seededRandom(9)
    const values = [7, 8].map((epoch) => {
      const test = { ...validators(4, 6, epoch), random }
      const tally = agreedTally(test)
      const opened = test.keys.map(
        (key, seat) => [seat, verifyShare(tally, openShare(tally, seat, key, random))] as const,
      )
      return beaconValue(tally, genesisBeacon(NETWORK), new Map(opened)).toHex()
    })
    assert.notEqual(values[0], values[1])
  })
})
