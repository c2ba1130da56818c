import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { randomInt, seededRandom, shuffled, utf8 } from '@weft/core'
import { sha256, toDidKey } from '@weft/crypto'
import fc from 'fast-check'
import { beaconRandom } from '../../src/committee/beacon-random.ts'
import { type Candidate, sampleCommittee } from '../../src/committee/sample-committee.ts'
import { MAX_SEATS_TOGETHER } from '../../src/committee/seat-limits.ts'
import { networkPrefix } from '../../src/network/network-prefix.ts'

const ids = Array.from({ length: 400 }, (_, at) => toDidKey(sha256(utf8(`validator ${at}`))))

/** Candidates that are all independent, unless told otherwise. */
function candidates(count: number, families = count, prefixes = count): readonly Candidate[] {
  return ids.slice(0, count).map((id, at) => ({
    id,
    family: `family-${at % families}`,
    diversityAddress: `10.${(at % prefixes) >> 8}.${(at % prefixes) & 255}.${at % 200}`,
  }))
}

function beacon(number: number): Uint8Array {
  return sha256(utf8(`beacon ${number}`))
}

describe('sampling a committee', () => {
  it('takes 64 of whom 43 must sign, and all where there are no more', () => {
    const large = sampleCommittee(beacon(1), candidates(400), 64)
    assert.equal(large.members.length, 64)
    assert.equal(large.quorum, 43)
    for (const [count, quorum] of [
      [1, 1],
      [3, 3],
      [4, 3],
      [63, 43],
      [64, 43],
    ] as const) {
      const small = sampleCommittee(beacon(1), candidates(count, 1, 1), 64)
      assert.deepEqual([small.members.length, small.quorum], [count, quorum])
    }
    assert.equal(sampleCommittee(beacon(1), [], 64).members.length, 0)
  })

  it('keeps the limits, takes nobody twice, and is full unless nobody else is independent', () => {
    const shape = fc.record({
      count: fc.integer({ min: 0, max: 400 }),
      families: fc.integer({ min: 1, max: 80 }),
      prefixes: fc.integer({ min: 1, max: 80 }),
      size: fc.integer({ min: 1, max: 64 }),
      seed: fc.nat(),
    })
    fc.assert(
      fc.property(shape, ({ count, families, prefixes, size, seed }) => {
        const all = candidates(count, families, prefixes)
        const { members } = sampleCommittee(beacon(seed), all, size)
        assert.equal(new Set(members).size, members.length)
        if (count <= size) {
          assert.equal(members.length, count)
          return
        }
        const ofFamily = (family: string) => members.filter((member) => member.family === family).length
        const ofPrefix = (address: string) =>
          members.filter((member) => networkPrefix(member.diversityAddress) === networkPrefix(address)).length
        for (const { family, diversityAddress } of all) {
          assert.ok(ofFamily(family) <= MAX_SEATS_TOGETHER)
          assert.ok(ofPrefix(diversityAddress) <= MAX_SEATS_TOGETHER)
        }
        assert.ok(members.length <= size)
        if (members.length === size) return
        for (const candidate of all) {
          const full =
            ofFamily(candidate.family) === MAX_SEATS_TOGETHER ||
            ofPrefix(candidate.diversityAddress) === MAX_SEATS_TOGETHER
          assert.ok(members.includes(candidate) || full)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('limits IPv6 by /48, and an IPv4 address however it is written', () => {
    const addresses = [
      '2001:db8:1::1',
      '2001:db8:1:2::1',
      '2001:db8:1:3::1',
      '192.0.2.1',
      '::ffff:192.0.2.2',
      '192.0.2.3',
      '198.51.100.1',
    ]
    const all = addresses.map((diversityAddress, at) => ({ ...(candidates(7)[at] as Candidate), diversityAddress }))
    for (let run = 0; run < 20; run++) assert.equal(sampleCommittee(beacon(run), all, 6).members.length, 5)
  })

  it('is the same for everyone, whatever the order of the map, and another for each beacon', () => {
    const all = candidates(200)
    const first = sampleCommittee(beacon(1), all, 64).members.map(({ id }) => id)
    const again = sampleCommittee(beacon(1), shuffled(seededRandom(1), all), 64).members.map(({ id }) => id)
    assert.deepEqual(again, first)
    assert.notDeepEqual(
      sampleCommittee(beacon(2), all, 64).members.map(({ id }) => id),
      first,
    )
  })

  it('gives each candidate the same chance, for each seat and with each other (chi-square)', () => {
    const [size, count, draws] = [4, 12, 3000]
    const all = candidates(count)
    const seats = Array.from({ length: size }, () => Array.from({ length: count }, () => 0))
    const pairs = new Map<string, number>()
    for (let draw = 0; draw < draws; draw++) {
      const taken = sampleCommittee(beacon(draw), all, size).members.map((member) => all.indexOf(member))
      for (const [seat, who] of taken.entries())
        (seats[seat] as number[])[who] = ((seats[seat] as number[])[who] as number) + 1
      for (const a of taken) {
        for (const b of taken) if (a < b) pairs.set(`${a},${b}`, (pairs.get(`${a},${b}`) ?? 0) + 1)
      }
    }
    const chiSquare = (seen: readonly number[], expected: number) =>
      seen.reduce((sum, times) => sum + (times - expected) ** 2 / expected, 0)
    // The beacons are fixed, so this passes always or never; the bounds are those that one in 10^6 fair runs exceeds:
    // 51.6 with 11 degrees of freedom, 131 with 65.
    for (const seen of seats) assert.ok(chiSquare(seen, draws / count) < 51.6)
    assert.equal(pairs.size, 66)
    assert.ok(chiSquare([...pairs.values()], (draws * 6) / 66) < 131)
  })

  it('does not let one operator with many nodes have more than its seats', () => {
    const honest = candidates(100)
    const many = ids.slice(100, 400).map((id) => ({ id, family: 'one', diversityAddress: '203.0.113.1' }))
    for (let run = 0; run < 20; run++) {
      const { members } = sampleCommittee(beacon(run), [...honest, ...many], 64)
      assert.ok(members.filter(({ family }) => family === 'one').length <= MAX_SEATS_TOGETHER)
      assert.equal(members.length, 64)
    }
  })
})

describe('drawing from a beacon', () => {
  it('is MGF1 with SHA-256 over the beacon and the use', () => {
    const seed = Uint8Array.of(...utf8('weft:beacon-random:v1\0'), ...beacon(1), ...utf8('committee'))
    const block = (counter: number) => sha256(seed, Uint8Array.of(0, 0, 0, counter))
    const expected = Uint8Array.of(...block(0), ...block(1), ...block(2))
    assert.deepEqual(beaconRandom(beacon(1), 'committee').bytes(96), expected)
  })

  it('gives the same stream in pieces of any length', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 100 }), { maxLength: 20 }), (lengths) => {
        const [whole, pieces] = [beaconRandom(beacon(3), 'use'), beaconRandom(beacon(3), 'use')]
        const total = lengths.reduce((sum, length) => sum + length, 0)
        assert.deepEqual(Uint8Array.from(lengths.flatMap((length) => [...pieces.bytes(length)])), whole.bytes(total))
      }),
    )
  })

  it('differs by use and beacon', () => {
    const first = beaconRandom(beacon(1), 'committee').bytes(32)
    assert.notDeepEqual(beaconRandom(beacon(1), 'other').bytes(32), first)
    assert.notDeepEqual(beaconRandom(beacon(2), 'committee').bytes(32), first)
    assert.equal(randomInt(beaconRandom(beacon(1), 'committee'), 1), 0)
  })
})
