import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MAX_EPOCH } from '../../src/network/epoch.ts'
import { encodeCanonical } from '../../src/codec/canonical-cbor.ts'
import type { MapEntry } from '../../src/map/map-entry.ts'
import { formatRelayedAddress } from '../../src/network/relayed-address.ts'
import { silenceEpochs } from '../../src/terms/recovery-times.ts'
import {
  decodeRecoveryValue,
  encodeRecoveryValue,
  nextTerm,
  seatsOf,
  seatsWanted,
} from '../../src/terms/recovery-value.ts'
import { codeOf } from '../fixtures.ts'
import { orphans } from './orphans.ts'

const set = orphans()

describe('what electors agree on', () => {
  it('is read as it was written', () => {
    const value = fc.record({
      fromEpoch: fc.integer({ min: 0, max: MAX_EPOCH }),
      seats: fc
        .uniqueArray(fc.integer({ min: 0, max: 63 }), { minLength: 1, maxLength: 64 })
        .map((seats) => seats.toSorted((a, b) => a - b)),
    })
    fc.assert(fc.property(value, (one) => assert.deepEqual(decodeRecoveryValue(encodeRecoveryValue(one)), { ...one })))
  })

  it('is refused with E_SUCCESSION, or has one form', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(([at, byte]) => {
        const spoilt = encodeRecoveryValue({ fromEpoch: 300, seats: [0, 1, 30, 63] })
        spoilt[at % spoilt.length] = byte
        return spoilt
      }),
    )
    fc.assert(
      fc.property(bytes, (one) => {
        try {
          assert.deepEqual(encodeRecoveryValue(decodeRecoveryValue(one)), one)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'E_SUCCESSION')
        }
      }),
      { numRuns: 500 },
    )
  })

  const REFUSED: Record<string, unknown> = {
    'no seats': [1, 7, []],
    'a seat twice': [1, 7, [2, 2]],
    'seats in another order': [1, 7, [3, 2]],
    'a seat of nobody': [1, 7, [64]],
    'another version': [2, 7, [1]],
    'an epoch that is none': [1, -1, [1]],
    'an epoch out of bounds': [1, MAX_EPOCH + 1, [1]],
    'too few parts': [1, 7],
    'too many parts': [1, 7, [1], 0],
  }
  for (const [name, value] of Object.entries(REFUSED)) {
    it(`is refused with ${name}`, async () => {
      assert.equal(await codeOf(() => decodeRecoveryValue(encodeCanonical(value))), 'E_SUCCESSION')
    })
  }
})

describe('the seats that follow', () => {
  it('are sixteen, or as many as before if these were more, or as few as the file allows', () => {
    assert.equal(seatsWanted({ committeeSize: 64 }, set.term), 16)
    assert.equal(seatsWanted({ committeeSize: 64 }, orphans(20, 0).term), 20)
    assert.equal(seatsWanted({ committeeSize: 7 }, set.term), 7)
    assert.equal(seatsWanted({ committeeSize: 4 }, set.term), 4)
  })

  it('are of the first who are there, in the order of the draw', () => {
    assert.deepEqual(
      seatsOf(set.electors, 3, (elector) => elector % 2 === 1),
      [1, 3, 5],
    )
    assert.deepEqual(
      seatsOf(set.electors, 16, () => true),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    )
  })

  it('are at most two of a family, and two of a network', () => {
    const { members } = set.electors
    const together = (change: (at: number) => object) =>
      seatsOf(
        { members: members.map((entry, at) => ({ ...entry, member: { ...entry.member, ...change(at) } })) },
        16,
        () => true,
      )
    assert.deepEqual(
      together((at) => (at < 5 ? { family: 'one' } : {})),
      [0, 1, 5, 6, 7, 8, 9, 10, 11],
    )
    assert.deepEqual(
      together((at) => (at < 11 ? { diversityAddress: `192.0.2.${at + 1}` } : {})),
      [0, 1, 11],
    )
  })

  it('are of those whom everybody can dial: not of one behind relays only, and at direct addresses alone', async () => {
    const { electors, network, term } = set
    const relay = formatRelayedAddress((electors.members[5] as MapEntry).member.id)
    const members = electors.members.map((entry, at) => {
      const { addresses } = entry.member
      const changed = at === 0 ? [relay] : at === 1 ? [...addresses, relay] : addresses
      return { ...entry, member: { ...entry.member, addresses: changed } }
    })
    assert.deepEqual(
      seatsOf({ members }, 3, () => true),
      [1, 2, 3],
    )
    const fromEpoch = set.anchor.epoch + silenceEpochs(network.file)
    const next = (seats: number[]) => nextTerm(network.file, { members }, term, set.anchor.epoch, { fromEpoch, seats })
    assert.deepEqual(next([1, 2]).validators[0]?.addresses, electors.members[1]?.member.addresses)
    assert.equal(await codeOf(() => next([0, 1])), 'E_SUCCESSION')
  })
})
