import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decode, encode } from '@ipld/dag-cbor'
import type { SigningKey } from '@weft/crypto'
import fc from 'fast-check'
import { type BeaconInput, MAX_INPUTS, decodeInputs, encodeInputs } from '../../src/beacon/beacon-inputs.ts'
import { beaconRoster } from '../../src/beacon/beacon-roster.ts'
import { genesisBeacon } from '../../src/beacon/beacon-value.ts'
import { MAX_DEALING } from '../../src/beacon/dealing.ts'
import { openDealing } from '../../src/beacon/verify-dealing.ts'
import { CODECS, refused } from './beacon-codecs.ts'
import { NETWORK, dealingOf, encodedInputs, validators } from './beacon-fixture.ts'

const test4 = validators(4)
const { roster } = test4
const before = genesisBeacon(NETWORK)

for (const codec of CODECS) {
  describe(`the form of ${codec.name}`, () => {
    it('means what it says, in one form only', () => {
      fc.assert(
        fc.property(codec.values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, where, flip) => {
          const encoded = codec.encode(value as never)
          assert.ok(encoded.length <= codec.limit)
          const decoded = codec.decode(encoded)
          assert.deepEqual(codec.encode(decoded as never), encoded)
          assert.ok(refused(codec, encoded.subarray(0, where % encoded.length)), 'cut')
          assert.ok(refused(codec, Uint8Array.of(...encoded, 0)), 'lengthened')
          const changed = encoded.slice()
          changed[where % encoded.length] = (changed[where % encoded.length] as number) ^ flip
          if (!refused(codec, changed)) assert.deepEqual(codec.encode(codec.decode(changed) as never), changed)
        }),
        { numRuns: 200 },
      )
    })

    it('has no field more, none less, and one version', () => {
      fc.assert(
        fc.property(codec.values, (value) => {
          const tuple = decode<unknown[]>(codec.encode(value as never))
          assert.ok(refused(codec, encode([...tuple, 0])))
          assert.ok(refused(codec, encode(tuple.slice(0, -1))))
          for (const version of [0, 2, '1', null]) assert.ok(refused(codec, encode([version, ...tuple.slice(1)])))
        }),
        { numRuns: 20 },
      )
    })
  })
}

describe('inputs', () => {
  const names = Array.from({ length: 4 }, (_, dealer) => ({ dealer, dealing: new Uint8Array(32).fill(dealer) }))
  const [a, b, c, d] = names as [BeaconInput, BeaconInput, BeaconInput, BeaconInput]

  it('are a quorum at least, in order of the seats, each of a seat that there is', () => {
    assert.equal(decodeInputs(roster, encodeInputs(roster, before, [a, b, c])).dealings.length, 3)
    assert.equal(decodeInputs(roster, encodeInputs(roster, before, [a, b, c, d])).dealings.length, 4)
    for (const [list, cause] of [
      [[a, b], /2 dealings, and 3 of 4 are needed/],
      [[], /must be a list of 1 to 64/],
      [[b, a, c], /not in order/],
      [[a, b, b], /not in order/],
      [[a, b, c, { ...d, dealer: 4 }], /no seat 4/],
      [[a, b, { ...c, dealer: 64 }], /from 0 to 63/],
    ] as const) {
      assert.throws(() => decodeInputs(roster, encodeInputs(roster, before, list)), { code: 'E_BEACON_INPUTS', cause })
    }
  })

  it('hang on a value of an earlier epoch', () => {
    const value = new Uint8Array(32)
    assert.deepEqual(decodeInputs(roster, encodeInputs(roster, before, [a, b, c])).previous, before)
    assert.equal(decodeInputs(roster, encodeInputs(roster, { epoch: 6, value }, [a, b, c])).previous.epoch, 6)
    for (const link of [
      { epoch: -2, value },
      { epoch: roster.epoch, value },
      { epoch: 2 ** 53, value },
      { epoch: 1, value: new Uint8Array(31) },
    ]) {
      assert.throws(() => decodeInputs(roster, encodeInputs(roster, link, [a, b, c])), { code: 'E_BEACON_INPUTS' })
    }
  })

  it('of another epoch or roster are refused', () => {
    const other = beaconRoster(NETWORK, roster.epoch + 1, roster.seats)
    assert.throws(() => decodeInputs(roster, encodeInputs(other, before, [a, b, c])), {
      code: 'E_BEACON_INPUTS',
      cause: /another network, epoch or roster/,
    })
  })
})

describe('a roster', () => {
  it('has 1 to 64 seats of distinct validators', () => {
    assert.throws(() => beaconRoster(NETWORK, 1, []), RangeError)
    assert.throws(() => beaconRoster(NETWORK, 1, [...roster.seats, ...roster.seats]), RangeError)
    const seats = Array.from({ length: 65 }, (_, at) => ({
      key: new Uint8Array(32).fill(at),
      beaconKey: new Uint8Array(32),
    }))
    assert.throws(() => beaconRoster(NETWORK, 1, seats), RangeError)
    assert.equal(beaconRoster(NETWORK, 1, seats.slice(0, 64)).quorum, 43)
  })
})

describe('the largest dealing and inputs', () => {
  it('fit their limits', () => {
    const test = validators(64)
    const dealing = dealingOf(test, 63)
    assert.ok(dealing.body.length <= MAX_DEALING)
    openDealing(test.roster, dealing)
    const all = test.nodes.map((_: SigningKey, dealer) => ({ dealer, dealing: new Uint8Array(32).fill(255) }))
    const inputs = encodeInputs(test.roster, before, all)
    assert.ok(inputs.length <= MAX_INPUTS)
    assert.equal(decodeInputs(test.roster, inputs).dealings.length, 64)
    assert.ok(
      encodedInputs(
        roster,
        [0, 1, 2].map((dealer) => dealingOf(test4, dealer)),
      ).length < 200,
    )
  })
})
