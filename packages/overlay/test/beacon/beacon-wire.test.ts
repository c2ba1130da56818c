import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BeaconGetResponseSchema, BeaconPullRequestSchema, BeaconPullResponseSchema, create } from '@weft/wire'
import fc from 'fast-check'
import { MAX_SEATS } from '../../src/network/quorum.ts'
import {
  answerFromWire,
  answerToWire,
  beaconFromWire,
  beaconToWire,
  dealingFromWire,
  epochFromWire,
  wantFromWire,
  wantToWire,
} from '../../src/beacon/beacon-wire.ts'
import { codeOf } from '../fixtures.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const epoch = fc.nat({ max: 2 ** 40 })

describe('messages of beacons', () => {
  it('are read as they were written', () => {
    const want = fc.record({
      epoch,
      inputs: fc.boolean(),
      dealings: fc.array(bytes(32), { maxLength: MAX_SEATS }),
      shares: fc.boolean(),
      seats: fc.uniqueArray(fc.nat(MAX_SEATS - 1)).map((seats) => new Set(seats.toSorted((a, b) => a - b))),
    })
    fc.assert(
      fc.property(want, (asked) => {
        assert.deepEqual(wantFromWire(create(BeaconPullRequestSchema, wantToWire(asked))), { ...asked })
      }),
    )
    const dealing = fc.tuple(fc.uint8Array(), bytes(64)).map(([body, signature]) => ({ body, signature }))
    const answer = fc.record({
      inputs: fc.option(fc.uint8Array({ minLength: 1, maxLength: 40 }), { nil: undefined }),
      dealings: fc.array(dealing, { maxLength: 4 }),
      shares: fc.array(fc.uint8Array(), { maxLength: 4 }),
    })
    fc.assert(
      fc.property(answer, (given) => {
        assert.deepEqual(answerFromWire(create(BeaconPullResponseSchema, answerToWire(given))), { ...given })
      }),
    )
    const beacon = fc.record({ epoch, value: bytes(32), previous: fc.integer({ min: -1, max: 2 ** 40 - 1 }) })
    fc.assert(
      fc.property(fc.option(beacon, { nil: undefined }), (given) => {
        assert.deepEqual(beaconFromWire(create(BeaconGetResponseSchema, beaconToWire(given))), given && { ...given })
      }),
    )
  })

  it('beyond the limits are refused', async () => {
    const want = { epoch: 1, inputs: false, dealings: [], shares: false, seats: new Set<number>() }
    const read = (changes: object): Promise<string> =>
      codeOf(() => wantFromWire(create(BeaconPullRequestSchema, { ...wantToWire(want), ...changes })))
    assert.equal(await read({}), 'nothing')
    assert.equal(await read({ epoch: 2n ** 40n + 1n }), 'E_BEACON_QUESTION')
    assert.equal(await read({ dealings: Array.from({ length: 65 }, () => new Uint8Array(32)) }), 'E_BEACON_QUESTION')
    assert.equal(await read({ seats: new Uint8Array(9) }), 'E_BEACON_QUESTION')
    assert.equal(await codeOf(() => epochFromWire(2n ** 64n - 1n)), 'E_BEACON_QUESTION')
    assert.equal(await codeOf(() => dealingFromWire(undefined)), 'E_BEACON_DEALING')
    const short = create(BeaconGetResponseSchema, { beacon: { epoch: 1n, value: new Uint8Array(31), previous: 0n } })
    assert.equal(await codeOf(() => beaconFromWire(short)), 'E_BEACON_QUESTION')
  })
})
