import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { seededRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import fc from 'fast-check'
import { PathChooser } from '../../src/route/path-chooser.ts'
import { type RouteMeasures, WEIGHT_RANGE } from '../../src/route/route-measures.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { RouteTable } from '../../src/route/route-table.ts'
import { drawLegs } from './draw-legs.ts'
import { makeMember } from './make-member.ts'

const NODES = 100
const HOSTILE = 10
const ROLES = ['entry', 'relay', 'exit'] as const
const COUNTRIES = ['DE', 'US', 'SG', 'AU', 'BR', 'CH']

const members = Array.from({ length: NODES }, (_, index) =>
  makeMember(index + 1, ROLES, { country: COUNTRIES[index % 6] as string }),
)
const isHostile = ({ id }: RouteMember): boolean => members.findIndex((member) => member.id === id) < HOSTILE

/** All that helps the hostile nodes is claimed by them, and said of all others what harms them. */
function flattered(hostile: readonly RouteMember[]): RouteMeasures {
  const ids = new Set(hostile.map(({ id }) => id))
  const each = <T>(theirs: T, others: T): ReadonlyMap<DidKey, T> =>
    new Map(members.map(({ id }) => [id, ids.has(id) ? theirs : others]))
  return {
    health: each(1, 0.3),
    load: each(0, 3),
    capacity: each(1e12, 1),
    latencyMs: each(1, 500),
    pairMs: new Map(members.map(({ id }) => [id, each(1, 500)])),
  }
}

/** Shannon entropy, bits, of how often each was drawn; below that of the distribution by about n / (2 draws ln 2) (Miller 1955). */
function measuredBits(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts.reduce((sum, count) => sum - (count === 0 ? 0 : (count / total) * Math.log2(count / total)), 0)
}

describe('nodes that look their best while all others look their worst', () => {
  test('one of them has no more than 16 times the share of another, at any position', () => {
    const [first] = members as [RouteMember]
    const chooser = new PathChooser(new RouteTable(members), flattered([first]))
    const random = seededRandom(1)
    const drawn = [0, 0, 0]
    const rounds = 10_000
    const most = WEIGHT_RANGE / (NODES - 5 + WEIGHT_RANGE)
    for (let round = 0; round < rounds; round++) {
      for (const [hop, { member, share }] of chooser.choose({}, random).hops.entries()) {
        if (member !== first) continue
        drawn[hop] = (drawn[hop] ?? 0) + 1
        assert.ok(share <= most + 1e-9, `${share}`)
      }
    }
    for (const count of drawn) {
      // Five standard deviations.
      const bound = most + 5 * Math.sqrt((most * (1 - most)) / rounds)
      assert.ok(count / rounds <= bound, `${count / rounds} of ${most}`)
    }
    // It would be a tenth of that if claims counted for nothing: the bound is about something.
    assert.ok(drawn.some((count) => count / rounds > most / 2))
  })

  test('a tenth of all nodes gets no more than the floor on entropy lets them', () => {
    const chooser = new PathChooser(new RouteTable(members), flattered(members.slice(0, HOSTILE)))
    const random = seededRandom(2)
    const rounds = 10_000
    const counts = Array.from({ length: 3 }, () => new Map<RouteMember, number>())
    for (let round = 0; round < rounds; round++)
      for (const [hop, { member }] of chooser.choose({}, random).hops.entries())
        counts[hop]?.set(member, (counts[hop]?.get(member) ?? 0) + 1)
    for (const count of counts) {
      const hostile =
        [...count].filter(([member]) => isHostile(member)).reduce((sum, [, each]) => sum + each, 0) / rounds
      // A distribution that is at most one bit from the uniform one gives a tenth of it 0.58 at most: D(q || 0.1) = 1 bit there.
      assert.ok(hostile < 0.58 + 0.02, `${hostile}`)
      assert.ok(measuredBits([...count.values()]) > Math.log2(NODES) - 1 - 0.05)
    }
  })

  test('guards are not weighed: nothing that is measured or claimed brings a node to the entry', () => {
    const chooser = new PathChooser(new RouteTable(members), flattered(members.slice(0, HOSTILE)))
    const entries = members.slice(50, 53).map(({ id }) => id)
    for (let seed = 1; seed <= 50; seed++)
      assert.equal(chooser.choose({ entries }, seededRandom(seed)).hops[0]?.member.id, entries[0])
  })
})

test('no measure of anybody breaks the floor or the range of weights', () => {
  const value = fc.oneof(fc.double(), fc.constantFrom(0, 1, 4, -1, 1e300, Number.NaN, Infinity))
  const some = fc.array(fc.tuple(fc.nat(NODES - 1), value), { maxLength: 60 })
  const maps = fc.record({ health: some, load: some, capacity: some, latencyMs: some, pairs: some })
  const idOf = (index: number): DidKey => (members[index] as RouteMember).id
  fc.assert(
    fc.property(maps, fc.integer(), fc.integer({ min: 2, max: 60 }), (given, seed, size) => {
      const map = (pairs: readonly [number, number][]): Map<DidKey, number> =>
        new Map(pairs.map(([index, each]) => [idOf(index), each]))
      const measures: RouteMeasures = {
        health: map(given.health),
        load: map(given.load),
        capacity: map(given.capacity),
        latencyMs: map(given.latencyMs),
        pairMs: new Map([[idOf(0), map(given.pairs)]]),
      }
      const among = members.slice(0, Math.max(4, size))
      const chooser = new PathChooser(new RouteTable(among), measures)
      for (const { hops } of drawLegs(chooser, 2, {}, seededRandom(seed)))
        for (const { candidates, weight, share, bits, floorBits } of hops) {
          assert.ok(weight >= 1 / WEIGHT_RANGE && weight <= 1, `weight ${weight}`)
          assert.ok(bits >= 0 && bits <= Math.log2(candidates) + 1e-9, `bits ${bits}`)
          assert.ok(floorBits <= Math.log2(candidates))
          assert.ok(share > 0 && share <= WEIGHT_RANGE / (candidates - 1 + WEIGHT_RANGE) + 1e-9, `share ${share}`)
        }
    }),
    { numRuns: 300 },
  )
})

describe('Sybil nodes', () => {
  const draw = (sybil: Partial<RouteMember>): RouteMember[][] => {
    const half = members.map((member, index) => (index % 2 === 0 ? { ...member, ...sybil } : member))
    const chooser = new PathChooser(new RouteTable(half))
    const random = seededRandom(5)
    return Array.from({ length: 2_000 }, () =>
      drawLegs(chooser, 3, {}, random).flatMap(({ hops }, leg) =>
        hops.slice(0, leg === 0 ? 3 : 2).map(({ member }) => member),
      ),
    )
  }
  for (const [what, sybil] of [
    ['that name one family', { family: 'sybil' }],
    ['in one /16', { prefix: '10.1.0.0/16' }],
    ['in one AS', { asn: 666 }],
  ] as const)
    test(`half of all nodes ${what} are one node in all legs together, however many they are`, () => {
      const [key, value] = Object.entries(sybil)[0] as [keyof RouteMember, unknown]
      const routes = draw(sybil)
      assert.ok(routes.every((route) => route.filter((member) => member[key] === value).length <= 1))
      assert.ok(routes.some((route) => route.some((member) => member[key] === value)))
    })
})
