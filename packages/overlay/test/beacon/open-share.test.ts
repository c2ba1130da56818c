import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom, shuffled, toHex } from '@weft/core'
import fc from 'fast-check'
import { type BeaconLink, decodeInputs, encodeInputs } from '../../src/beacon/beacon-inputs.ts'
import type { BeaconKeyPair } from '../../src/beacon/beacon-key.ts'
import type { BeaconShare } from '../../src/beacon/beacon-share.ts'
import { beaconValue, genesisBeacon } from '../../src/beacon/beacon-value.ts'
import { type SignedDealing, dealingName, decodeDealing } from '../../src/beacon/dealing.ts'
import { tallyOf } from '../../src/beacon/beacon-tally.ts'
import { IDENTITY } from '../../src/beacon/group.ts'
import { openShare, verifyShare } from '../../src/beacon/open-share.ts'
import { NETWORK, NO_ELEMENTS, agreedTally, dealingOf, validators } from './beacon-fixture.ts'

const REFUSED = { code: 'E_BEACON_SHARE' }

function sharesOf(count: number, seed: number) {
  const test = validators(count, seed)
  const tally = agreedTally(test)
  const shares = test.keys.map((key, seat) => openShare(tally, seat, key, test.random))
  return { test, tally, shares }
}

describe('shares of the agreed set', () => {
  it('give the same value whoever is missing, as long as a quorum is there', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, 4, 7, 10), fc.nat(), (count, seed) => {
        const { test, tally, shares } = sharesOf(count, seed)
        const opened = shares.map((share) => [share.seat, verifyShare(tally, share)] as const)
        const value = beaconValue(tally, new Map(opened))
        for (let run = 0; run < 3; run++) {
          const some = shuffled(test.random, opened).slice(0, tally.roster.quorum)
          assert.deepEqual(beaconValue(tally, new Map(some)), value)
        }
        if (tally.roster.quorum > 1) {
          const few = new Map(opened.slice(0, tally.roster.quorum - 1))
          assert.throws(() => beaconValue(tally, few), RangeError)
        }
      }),
      { numRuns: 12 },
    )
  })

  it('give another value for another value before, and for another set', () => {
    const test = validators(4, 1)
    const dealings = [0, 1, 2, 3].map((dealer) => dealingOf(test, dealer))
    const valueOf = (some: readonly SignedDealing[], previous: BeaconLink) => {
      const list = some.map(({ body }, dealer) => ({ dealer, dealing: dealingName(body) }))
      const inputs = decodeInputs(test.roster, encodeInputs(test.roster, previous, list))
      const tally = tallyOf(
        test.roster,
        inputs,
        some.map(({ body }) => decodeDealing(body)),
      )
      const opened = test.keys.map(
        (key, seat) => [seat, verifyShare(tally, openShare(tally, seat, key, test.random))] as const,
      )
      return toHex(beaconValue(tally, new Map(opened)))
    }
    const genesis = genesisBeacon(NETWORK)
    const values = [
      valueOf(dealings, genesis),
      valueOf(dealings.slice(0, 3), genesis),
      valueOf(dealings, { ...genesis, value: new Uint8Array(32) }),
      valueOf(dealings, { ...genesis, epoch: 3 }),
    ]
    assert.equal(new Set(values).size, 4)
    assert.equal(valueOf(dealings, genesis), values[0])
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
    const zero = beaconValue(tally, new Map([[0, IDENTITY]]))
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
      return beaconValue(tally, new Map(opened)).toHex()
    })
    assert.notEqual(values[0], values[1])
  })
})
