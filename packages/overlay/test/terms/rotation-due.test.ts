import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Random, randomInt, seededRandom, utf8 } from '@weft/core'
import { type DidKey, sha256, toDidKey } from '@weft/crypto'
import fc from 'fast-check'
import { MAX_SEATS_TOGETHER } from '../../src/committee/seat-limits.ts'
import type { Member } from '../../src/member.ts'
import { networkPrefix } from '../../src/network/network-prefix.ts'
import { formatRelayedAddress } from '../../src/network/relayed-address.ts'
import { quorumOf, toleratedFaults } from '../../src/network/quorum.ts'
import { type SeatChange, type SeatedMap, rotationDue, seatsDue } from '../../src/terms/handover-seats.ts'
import { type Seat, type Term, termOf } from '../../src/terms/term.ts'

const ids = Array.from({ length: 120 }, (_, at) => toDidKey(sha256(utf8(`node ${at}`))))
const beacon = (number: number): Uint8Array => sha256(utf8(`beacon ${number}`))

/** A member that asks for a seat; all are independent unless told otherwise. */
const memberOf = (at: number, families = 120, prefixes = 120): Member =>
  ({
    id: ids[at] as DidKey,
    roles: ['validator'],
    addresses: [`/ip4/10.0.${at % prefixes}.1/tcp/${1_000 + at}`],
    family: `family-${at % families}`,
    diversityAddress: `10.0.${at % prefixes}.1`,
  }) as unknown as Member

const mapOf = (members: readonly Member[], seed: Uint8Array): SeatedMap => ({
  members,
  member: (id) => members.find((member) => member.id === id),
  seed,
})
const seatOf = ({ id, addresses, family }: Member): Seat => ({ id, addresses, family })
const termWith = (seated: readonly Member[]): Term =>
  termOf({ number: 0, fromEpoch: 0, rotation: 0, validators: seated.map(seatOf) })

/** The validators behind a change. */
function after(term: Term, { leaving, entering }: SeatChange): readonly DidKey[] {
  return [...term.validators.filter((_, place) => !leaving.includes(place)), ...entering].map(({ id }) => id)
}

/** Most seats of one family or network. */
function together(seated: readonly Member[]): number {
  const counts = new Map<string, number>()
  for (const { family, diversityAddress } of seated)
    for (const name of [family, networkPrefix(diversityAddress)]) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Math.max(0, ...counts.values())
}

const chiSquare = (seen: readonly number[], expected: number): number =>
  seen.reduce((sum, times) => sum + (times - expected) ** 2 / expected, 0)

describe('a rotation', () => {
  it('leaves a quorum where it is, keeps the limits and the number of seats, and is the same for everyone', () => {
    const shape = fc.record({
      seats: fc.integer({ min: 1, max: 64 }),
      others: fc.integer({ min: 0, max: 56 }),
      families: fc.integer({ min: 1, max: 60 }),
      prefixes: fc.integer({ min: 1, max: 60 }),
      seed: fc.nat(),
    })
    fc.assert(
      fc.property(shape, ({ seats, others, families, prefixes, seed }) => {
        const all = Array.from({ length: seats + others }, (_, at) => memberOf(at, families, prefixes))
        const term = termWith(all.slice(0, seats))
        const map = mapOf(all, beacon(seed))
        const due = rotationDue(term, map)
        assert.deepEqual(due, rotationDue(term, map))
        if (due === undefined) return
        const { leaving, entering } = due
        assert.ok(leaving.length === entering.length && leaving.length >= 1)
        assert.ok(leaving.length <= toleratedFaults(seats) && seats - leaving.length >= quorumOf(seats))
        const next = after(term, due)
        assert.equal(new Set(next).size, seats)
        assert.ok(entering.every(({ id }) => !term.isValidator(id)))
        const seatedAfter = next.map((id) => map.member(id) as Member)
        const most = Math.max(MAX_SEATS_TOGETHER, together(all.slice(0, seats)))
        assert.ok(together(seatedAfter) <= most)
      }),
      { numRuns: 200 },
    )
  })

  it('exchanges all that may leave when enough wait, and as many as wait when fewer do', () => {
    const all = Array.from({ length: 30 }, (_, at) => memberOf(at))
    for (const [waiting, exchanged] of [
      [0, undefined],
      [1, 1],
      [2, 2],
      [3, 3],
      [20, 3],
    ] as const) {
      const due = rotationDue(termWith(all.slice(0, 10)), mapOf(all.slice(0, 10 + waiting), beacon(waiting)))
      assert.equal(due?.entering.length, exchanged)
    }
  })

  it('does not happen where none may be down', () => {
    const all = Array.from({ length: 30 }, (_, at) => memberOf(at))
    for (const seats of [1, 2, 3])
      assert.equal(rotationDue(termWith(all.slice(0, seats)), mapOf(all, beacon(1))), undefined)
    assert.equal(rotationDue(termWith(all.slice(0, 4)), mapOf(all, beacon(1)))?.leaving.length, 1)
  })

  it('takes nobody without the role, without an address of its own, or of a family or network that has two seats', () => {
    const all = Array.from({ length: 4 }, (_, at) => memberOf(at))
    const relayed = { ...memberOf(5), addresses: [formatRelayedAddress(ids[9] as DidKey)] }
    const storage = { ...memberOf(6), roles: ['storage'] } as Member
    assert.equal(rotationDue(termWith(all), mapOf([...all, relayed, storage], beacon(1))), undefined)
    const crowded = all.map((member) => ({ ...member, family: 'one' }))
    const more = [7, 8].map((at) => ({ ...memberOf(at), family: 'one' }))
    assert.equal(rotationDue(termWith(crowded), mapOf([...crowded, ...more], beacon(1))), undefined)
  })

  it('keeps the limits where fewer leave than could: who stays after all counts', () => {
    // Of the family y one seat stays and one was drawn to leave; of its two candidates both fit only if it leaves.
    for (let run = 0; run < 50; run++) {
      const seated = Array.from({ length: 7 }, (_, at) => ({ ...memberOf(at), family: at < 2 ? 'y' : `x${at}` }))
      const waiting = [20, 21].map((at) => ({ ...memberOf(at), family: 'y' }))
      const map = mapOf([...seated, ...waiting], beacon(run))
      const term = termWith(seated)
      const due = rotationDue(term, map)
      if (due !== undefined) assert.ok(together(after(term, due).map((id) => map.member(id) as Member)) <= 2)
      const lapsed = seatsDue({ seats: 7 }, term, map, (id) => id === ids[1] || id === ids[4])
      if (lapsed !== undefined) assert.ok(together(after(term, lapsed).map((id) => map.member(id) as Member)) <= 2)
    }
  })

  it('gives every seat and every candidate the same chance (chi-square)', () => {
    const [seats, waiting, draws] = [7, 12, 4_000]
    const all = Array.from({ length: seats + waiting }, (_, at) => memberOf(at))
    const term = termWith(all.slice(0, seats))
    const left = Array.from({ length: seats }, () => 0)
    const entered = Array.from({ length: waiting }, () => 0)
    const pairs = new Map<string, number>()
    for (let draw = 0; draw < draws; draw++) {
      const due = rotationDue(term, mapOf(all, beacon(draw))) as SeatChange
      for (const place of due.leaving) {
        left[place] = (left[place] as number) + 1
        for (const { id } of due.entering) pairs.set(`${place} ${id}`, (pairs.get(`${place} ${id}`) ?? 0) + 1)
      }
      for (const { id } of due.entering) {
        const at = ids.indexOf(id) - seats
        entered[at] = (entered[at] as number) + 1
      }
    }
    // The beacons are fixed, so this passes always or never; the bounds are those that one in 10^6 fair runs exceeds, of
    // 6, 11 and 83 degrees of freedom. Draws without replacement spread less.
    assert.ok(chiSquare(left, (draws * 2) / seats) < 38.3)
    assert.ok(chiSquare(entered, (draws * 2) / waiting) < 51.6)
    assert.ok(chiSquare([...pairs.values()], (draws * 4) / (seats * waiting)) < 157)
  })

  it('seats all who ask for the same part of the time, wherever it began', () => {
    const [seats, count, rotations] = [10, 40, 4_000]
    const all = Array.from({ length: count }, (_, at) => memberOf(at))
    const random: Random = seededRandom(7)
    let seated: readonly DidKey[] = ids.slice(0, seats)
    const times = Array.from({ length: count }, () => 0)
    for (let turn = 0; turn < rotations; turn++) {
      const term = termWith(seated.map((id) => all[ids.indexOf(id)] as Member))
      seated = after(term, rotationDue(term, mapOf(all, beacon(randomInt(random, 2 ** 31)))) as SeatChange)
      for (const id of seated) times[ids.indexOf(id)] = (times[ids.indexOf(id)] as number) + 1
    }
    // Terms hang together: who has a seat keeps it with a chance of 0.7, comes back with one of 0.1, so that the variance of
    // a share is 4 times that of independent draws. Five standard deviations.
    const share = seats / count
    const bound = 5 * Math.sqrt((4 * share * (1 - share)) / rotations)
    for (const [at, seen] of times.entries())
      assert.ok(Math.abs(seen / rotations - share) < bound, `${at}: ${seen / rotations} of ${share}`)
  })
})
