import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type WeftError, isWeftError, seededRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Role } from '@weft/overlay'
import fc from 'fast-check'
import type { DrawnLeg } from '../../src/route/drawn-leg.ts'
import { PathChooser } from '../../src/route/path-chooser.ts'
import type { PathWishes } from '../../src/route/path-wishes.ts'
import type { RouteMeasures } from '../../src/route/route-measures.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { RouteTable } from '../../src/route/route-table.ts'
import { drawLegs } from './draw-legs.ts'
import { makeMember } from './make-member.ts'

const ALL: readonly Role[] = ['entry', 'relay', 'exit']
const MIDDLE: readonly Role[] = ['entry', 'relay']

function many(count: number, more: (index: number) => Partial<RouteMember> = () => ({})): RouteMember[] {
  return Array.from({ length: count }, (_, index) => makeMember(index + 1, ALL, more(index)))
}

function chooser(members: readonly RouteMember[], measures?: RouteMeasures): PathChooser {
  return new PathChooser(new RouteTable(members), measures)
}

function choose(
  members: readonly RouteMember[],
  wishes: PathWishes = {},
  seed = 1,
  measures?: RouteMeasures,
): DrawnLeg {
  return chooser(members, measures).choose(wishes, seededRandom(seed))
}

const nodes = ({ hops }: DrawnLeg): RouteMember[] => hops.map(({ member }) => member)
const exitOf = ({ hops }: DrawnLeg): RouteMember => hops.at(-1)?.member ?? assert.fail()
const idsOf = (members: readonly RouteMember[]): DidKey[] => members.map(({ id }) => id)

/** No two have id, family, prefix or AS in common. */
function assertDiverse(members: readonly RouteMember[]): void {
  for (const pick of ['id', 'family', 'prefix', 'asn'] as const)
    assert.equal(new Set(members.map((member) => member[pick])).size, members.length, pick)
}

describe('a leg', () => {
  test('has 2 to 5 hops: an entry, relays, an exit, each of its role and of another family, network and AS', () => {
    const pool = fc.array(fc.record({ family: fc.nat(9), prefix: fc.nat(9), asn: fc.nat(9), roles: fc.nat(6) }), {
      minLength: 8,
      maxLength: 40,
    })
    let chosen = 0
    fc.assert(
      fc.property(pool, fc.integer({ min: 2, max: 5 }), fc.integer(), (places, hops, seed) => {
        const members = places.map(({ family, prefix, asn, roles }, index) =>
          makeMember(
            index + 1,
            ALL.filter((_, bit) => ((roles + 1) >> bit) & 1),
            {
              family: `f${family}`,
              prefix: `p${prefix}`,
              asn: asn + 1,
            },
          ),
        )
        let leg: DrawnLeg
        try {
          leg = choose(members, { hops }, seed)
        } catch (error) {
          assert.ok(isWeftError(error) && /^E_NO_(ENTRY|RELAY|EXIT)$/.test(error.code), String(error))
          return
        }
        chosen++
        const route = nodes(leg)
        assert.equal(route.length, hops)
        assertDiverse(route)
        const roles = ['entry', ...Array.from({ length: hops - 2 }, () => 'relay'), 'exit']
        assert.deepEqual(
          leg.hops.map(({ role }) => role),
          roles,
        )
        assert.ok(route.every((member, index) => member.roles.includes(roles[index] as Role)))
      }),
    )
    assert.ok(chosen > 20, `${chosen}`)
    assert.throws(() => choose(many(9), { hops: 6 }), RangeError)
    assert.throws(() => choose(many(9), { hops: 1 }), RangeError)
  })

  test('leaves out what is never taken, failed, saturated or red, and says so of each', () => {
    const members = many(12)
    const id = (index: number): DidKey => (members[index] as RouteMember).id
    const measures: RouteMeasures = {
      load: new Map([[id(3), 4]]),
      health: new Map<DidKey, number | 'red'>([
        [id(4), 'red'],
        [id(5), 0.1],
      ]),
    }
    const wishes = {
      never: new Set([id(0)]),
      busy: new Set([id(1)]),
      failed: [id(2)],
    }
    for (let seed = 1; seed <= 100; seed++) {
      const leg = choose(members, wishes, seed, measures)
      for (const member of nodes(leg)) assert.ok(!idsOf(members.slice(0, 6)).includes(member.id))
      const relay = leg.explain()[1] ?? assert.fail()
      const reasons = new Map(relay.reasons.list().map(({ node, reason }) => [node, reason]))
      assert.equal(relay.reasons.list().length + relay.candidates, members.length)
      const expected = ['excluded', 'busy', 'failed', 'saturated', 'red', 'red']
      assert.deepEqual(
        idsOf(members.slice(0, 6)).map((each) => reasons.get(each)),
        expected,
      )
    }
  })

  test('of those that failed the earliest is tried first; nodes of other routes come before them', () => {
    const [entry, relay, one, other] = [
      makeMember(1, ['entry']),
      makeMember(2, ['relay']),
      makeMember(3, ['exit']),
      makeMember(4, ['exit']),
    ] as const
    const members = [entry, relay, one, other]
    for (let seed = 1; seed <= 30; seed++) {
      assert.equal(exitOf(choose(members, { failed: [one.id, other.id] }, seed)), one)
      assert.equal(exitOf(choose(members, { busy: new Set([one.id]), failed: [other.id] }, seed)), one)
      assert.equal(exitOf(choose(members, { busy: new Set([one.id]) }, seed)), other)
    }
  })

  test('does not begin at who is called while another entry is there, be that one failed', () => {
    const members = [
      makeMember(1, ['entry']),
      makeMember(2, ['entry']),
      makeMember(3, ['relay']),
      makeMember(4, ['exit']),
    ]
    const [called, other] = members as [RouteMember, RouteMember]
    for (let seed = 1; seed <= 30; seed++) {
      const wishes = { called: new Set([called.id]), failed: [other.id] }
      assert.equal(nodes(choose(members, wishes, seed))[0], other)
    }
    const guards = { entries: idsOf([called, other]), called: new Set([called.id]) }
    assert.equal(nodes(choose(members, guards))[0], other)
    assert.equal(nodes(choose(members.slice(2).concat(called), { called: new Set([called.id]) }))[0], called)
  })

  test('to a service ends at relays as well', () => {
    const members = [...[1, 2, 3, 4].map((index) => makeMember(index, MIDDLE)), makeMember(5, ['exit'])]
    const ends = new Set<string>()
    for (let seed = 1; seed <= 60; seed++) ends.add(exitOf(choose(members, { end: 'service' }, seed)).roles.join())
    assert.deepEqual(ends, new Set(['entry,relay', 'exit']))
  })

  test('saturated or red nodes serve where they are more than the others: filling up all others steers nobody', () => {
    const members = many(20)
    const load = new Map(idsOf(members.slice(0, 12)).map((id) => [id, 4]))
    const seen = new Set<DidKey>()
    for (let seed = 1; seed <= 400; seed++) seen.add(exitOf(choose(members, {}, seed, { load })).id)
    assert.ok(idsOf(members.slice(0, 12)).some((id) => seen.has(id)))
    const fewer = new Map([...load].slice(0, 6))
    for (let seed = 1; seed <= 400; seed++) assert.ok(!fewer.has(exitOf(choose(members, {}, seed, { load: fewer })).id))
  })
})

describe('the exit that is asked for', () => {
  const countries = ['DE', 'FR', 'US', 'SG', 'CH', 'DE']
  const members = many(24, (index) => ({ country: countries[index % 6] as string }))
  const exits = (wishes: PathWishes, measures?: RouteMeasures): ReadonlyMap<RouteMember, number> => {
    const choice = chooser(members, measures)
    const random = seededRandom(11)
    const counts = new Map<RouteMember, number>()
    for (let round = 0; round < 2_000; round++) {
      const exit = exitOf(choice.choose(wishes, random))
      counts.set(exit, (counts.get(exit) ?? 0) + 1)
    }
    return counts
  }

  test('a country, a region, a node', () => {
    const inGermany = exits({ exit: { kind: 'country', country: 'DE' } })
    assert.ok(inGermany.size === 8 && [...inGermany.keys()].every(({ country }) => country === 'DE'))
    const inEurope = exits({ exit: { kind: 'region', region: 'eu' } })
    assert.ok(inEurope.size === 16 && [...inEurope.keys()].every(({ country }) => /DE|FR|CH/.test(country)))
    const [first] = members as [RouteMember]
    assert.deepEqual([...exits({ exit: { kind: 'node', id: first.id } }).keys()], [first])
  })

  const noExit = (all: readonly RouteMember[], wishes: PathWishes): WeftError => {
    try {
      choose(all, wishes)
    } catch (error) {
      if (isWeftError(error, 'E_NO_EXIT')) return error
      throw error
    }
    throw new Error('there is an exit')
  }

  test('where nobody fits: E_NO_EXIT with what was asked for, what there is, and the reasons', () => {
    const { cause, fix } = noExit(members, { exit: { kind: 'country', country: 'BR' } })
    assert.match(
      cause,
      /^No exit is as asked for, BR; exits are in DE, CH, FR, SG, US \(.*24 not the exit that was asked for/,
    )
    assert.match(fix, /weft vpn exits.*weft vpn profile set NAME --exit DE /)
    const region = noExit(members, { exit: { kind: 'region', region: 'oc' } })
    assert.match(region.cause, /as asked for, the region oc; exits are in/)
    const [first, ...others] = members as [RouteMember, ...RouteMember[]]
    const exit = { kind: 'node', id: first.id } as const
    assert.match(
      noExit(others, { exit }).cause,
      /^The node did:key:\w+, which was asked for, is no member that carries packets; exits/,
    )
    const relay: RouteMember = { ...first, roles: MIDDLE }
    assert.match(
      noExit([relay, ...others], { exit }).cause,
      /^The node did:key:\w+, which was asked for, is not an exit; exits are in/,
    )
    // What the error names stays short however many countries there are.
    const countries = Array.from(
      { length: 30 },
      (_, at) => `${String.fromCharCode(65 + (at % 26))}${at < 26 ? 'A' : 'B'}`,
    )
    const far = many(30, (at) => ({ country: countries[at] as string }))
    assert.match(
      noExit(far, { exit: { kind: 'country', country: 'ZW' } }).cause,
      /exits are in AA, .{1,30} and 22 more /,
    )
  })

  test('where no member is an exit any more, or those asked for cannot serve: another fix', () => {
    const none = noExit(
      many(24, () => ({ roles: MIDDLE })),
      {},
    )
    assert.match(none.cause, /^No member of the signed map is an exit \(of 24 members 24 not of the role\)/)
    assert.match(none.fix, /^Nothing to do where all exits are down: .*weft members/)
    const never = new Set(idsOf(members))
    const own = noExit(members, { exit: { kind: 'country', country: 'DE' }, never })
    assert.match(own.cause, /^None of 8 exits as asked for, DE, can be that of this route \(of 24 members/)
    assert.match(own.fix, /^Let others serve: weft vpn profile set NAME --exit auto /)
    assert.match(noExit(members, { never }).fix, /^weft members/)
  })

  test('random: all alike, whatever is known of them', () => {
    const load = new Map(idsOf(members).map((id, index) => [id, index % 4]))
    const counts = [...exits({ exit: { kind: 'random' } }, { load }).values()]
    assert.equal(counts.length, 24)
    // 2,000 draws among 24: 83 each; five standard deviations are 45.
    assert.ok(
      counts.every((count) => Math.abs(count - 83.3) < 45),
      counts.join(),
    )
  })

  test('nearest: those that are handed over as near and can serve, nobody else; as auto while there is none', () => {
    const nearestMs = new Map(idsOf(members.slice(0, 5)).map((id, index) => [id, 5 + 2 * index]))
    const wish = { exit: { kind: 'nearest' }, nearestMs } as const
    assert.deepEqual(new Set(exits(wish).keys()), new Set(members.slice(0, 5)))
    const [first] = idsOf(members) as [DidKey]
    assert.deepEqual(new Set(exits({ ...wish, never: new Set([first]) }).keys()), new Set(members.slice(1, 5)))
    // Who is near is said where the times are known (nearest-exits.ts).
    const far = new Map(idsOf(members.slice(0, 6)).map((id, index) => [id, 100 * index]))
    assert.deepEqual(new Set(exits({ ...wish, nearestMs: far }).keys()), new Set(members.slice(0, 6)))
    assert.equal(exits({ exit: { kind: 'nearest' } }).size, 24)
    assert.ok(
      choose(members, wish)
        .explain()[2]
        ?.reasons.counts.some(({ reason }) => reason === 'farther'),
    )
  })

  test('auto: spread by capacity', () => {
    const ten = many(10, () => ({ roles: ['exit'] as const }))
    const others = [101, 102, 103, 104].map((index) => makeMember(index, MIDDLE))
    const choice = chooser([...others, ...ten], { capacity: new Map(idsOf(ten).map((id, index) => [id, 1 + index])) })
    const random = seededRandom(3)
    const counts = new Map<DidKey, number>()
    for (let client = 0; client < 10_000; client++) {
      const exit = exitOf(choice.choose({}, random))
      counts.set(exit.id, (counts.get(exit.id) ?? 0) + 1)
    }
    for (const [index, { id }] of ten.entries()) {
      const ratio = (counts.get(id) ?? 0) / ((10_000 * (1 + index)) / 55)
      assert.ok(ratio < 1.25 && ratio > 0.75, `exit of capacity ${1 + index}: ${ratio}`)
    }
  })
})

describe('weights', () => {
  /** How often each is at a position of 4,000 legs. */
  const countsAt = (hop: number, members: readonly RouteMember[], measures: RouteMeasures, wishes: PathWishes = {}) => {
    const choice = chooser(members, measures)
    const random = seededRandom(21)
    const counts = new Map<DidKey, number>()
    for (let round = 0; round < 4_000; round++) {
      const id = nodes(choice.choose(wishes, random))[hop]?.id ?? assert.fail()
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
    return (of: readonly RouteMember[]): number => of.reduce((sum, { id }) => sum + (counts.get(id) ?? 0), 0)
  }

  test('one with a thousand million times the capacity of others does not make them alike', () => {
    const members = [...many(40), makeMember(99, ALL)]
    const capacity = new Map(members.map(({ id }, index) => [id, index === 40 ? 1e9 : index < 20 ? 1 : 4]))
    const count = countsAt(2, members, { capacity })
    const ratio = count(members.slice(20, 40)) / count(members.slice(0, 20))
    // 2 by the weights, of which the least is a sixteenth; 1 if all others were cut to that.
    assert.ok(ratio > 1.6, `${ratio}`)
  })

  test('near relays and exits are likelier: by what was measured, by region where nothing was', () => {
    const members = many(40, (index) => ({ country: index % 2 === 0 ? 'DE' : 'AU' }))
    const entries = idsOf(members.slice(0, 1))
    const german = members.filter(({ country }) => country === 'DE')
    const australian = members.filter(({ country }) => country === 'AU')
    for (const hop of [1, 2]) {
      const count = countsAt(hop, members, {}, { entries })
      assert.ok(count(german) > 2 * count(australian), `hop ${hop}`)
      assert.ok(count(australian) > 100)
    }
    // The other way round, when it was measured.
    const far = (id: DidKey): number => (german.some((member) => member.id === id) ? 400 : 10)
    const latencyMs = new Map(members.map(({ id }) => [id, far(id)]))
    const exits = countsAt(2, members, { latencyMs }, { entries })
    assert.ok(exits(australian) > 2 * exits(german))
    const pairMs = new Map(entries.map((id) => [id, latencyMs]))
    const exit = { kind: 'node' as const, id: (members[39] as RouteMember).id }
    const relays = countsAt(1, members, { pairMs }, { entries, exit })
    assert.ok(relays(australian) > 2 * relays(german))
  })
})

describe('legs that are drawn one beside the other', () => {
  const several = (members: readonly RouteMember[], count: number, wishes: PathWishes = {}, seed = 1): DrawnLeg[] =>
    drawLegs(chooser(members), count, wishes, seededRandom(seed))
  const entriesOf = (legs: readonly DrawnLeg[]): DidKey[] => legs.flatMap((leg) => idsOf(nodes(leg)).slice(0, 1))

  test('share the exit and nothing else: no family, network or AS', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 3, max: 5 }), (seed, hops) => {
        const members = many(60, (index) => ({
          family: `f${index % 40}`,
          prefix: `p${index % 50}`,
          asn: 1 + (index % 45),
        }))
        const legs = several(members, 3, { hops }, seed)
        const [exit] = legs.map(exitOf)
        assert.ok(legs.every((leg) => exitOf(leg) === exit))
        const all = new Set(legs.flatMap(nodes))
        assert.equal(all.size, 3 * (hops - 1) + 1)
        assertDiverse([...all])
      }),
    )
  })

  test('begin at the guards that are given, in their order, and at the last ones where none of these fits', () => {
    const members = many(30)
    const entries = idsOf(members.slice(4, 7))
    const lastEntries = idsOf(members.slice(9, 11))
    // As a client has them: each guard is to begin a leg of its own.
    const busy = new Set([...entries, ...lastEntries])
    for (let seed = 1; seed <= 30; seed++)
      assert.deepEqual(entriesOf(several(members, 3, { entries, busy }, seed)), entries)
    const [entry] = choose(members, { entries }).explain()
    assert.ok(entry?.reasons.counts.some(({ reason, count }) => reason === 'no-guard' && count === 27))
    const last = { entries, lastEntries, busy, never: new Set(entries) }
    assert.deepEqual(entriesOf(several(members, 2, last)), lastEntries)
    assert.throws(
      () => several(members, 3, last),
      (error) => isWeftError(error, 'E_NO_ENTRY'),
    )
  })

  test('an exit that is asked for and related to a guard leaves that guard out', () => {
    const members = many(30)
    const entries = idsOf(members.slice(0, 3))
    const exit = members[20] as RouteMember
    const related = members.map((member, index) => (index === 0 ? { ...member, family: exit.family } : member))
    const wishes: PathWishes = { entries, exit: { kind: 'node', id: exit.id } }
    assert.deepEqual(entriesOf(several(related, 2, wishes)), entries.slice(1))
    assert.throws(
      () => several(related, 3, wishes),
      (error) => isWeftError(error, 'E_NO_ENTRY'),
    )
  })

  test('one more leg begins at another guard where the first leaves no relay that the legs do not share', () => {
    const [used, related, other] = [1, 2, 3].map((index) =>
      makeMember(index, ['entry'], index === 2 ? { family: 'one' } : {}),
    ) as [RouteMember, RouteMember, RouteMember]
    const [busy, free] = [makeMember(4, ['relay']), makeMember(5, ['relay'], { family: 'one' })] as [
      RouteMember,
      RouteMember,
    ]
    const exit = makeMember(9, ['exit'])
    const beside = [[used.id, busy.id, exit.id]]
    const entries = idsOf([used, related, other])
    const wishes: PathWishes = { entries, beside, exit: { kind: 'node', id: exit.id } }
    const leg = choose([used, related, other, busy, free, exit], wishes)
    assert.deepEqual(idsOf(nodes(leg)), idsOf([other, free, exit]))
    // No other guard has one either: it is the first one's leg.
    const shared = choose([used, related, other, busy, exit], wishes)
    assert.deepEqual(idsOf(nodes(shared)), idsOf([related, busy, exit]))
  })

  test('where the map does not allow it legs are related, or share a relay; without another entry there is no other leg', () => {
    const entries = [1, 2, 3].map((index) => makeMember(index, ['entry']))
    const exit = makeMember(9, ['exit'])
    const relays = [4, 5].map((index) => makeMember(index, ['relay'], { family: 'one' }))
    const related = several([...entries, ...relays, exit], 2).map((leg) => nodes(leg)[1])
    assert.deepEqual(new Set(related), new Set(relays))
    const shared = several([...entries, ...relays.slice(1), exit], 2)
    assert.deepEqual(
      shared.map((leg) => nodes(leg)[1]),
      [relays[1], relays[1]],
    )
    assert.equal(new Set(entriesOf(shared)).size, 2)
    assert.throws(
      () => several([...entries.slice(2), ...relays, exit], 2),
      (error) => isWeftError(error, 'E_NO_ENTRY'),
    )
  })

  test('of draws the one is taken in which least is related to other legs', () => {
    // With four hops one relay is free and two are related to the leg that stands: the free one is always among both.
    const entries = [1, 2].map((index) => makeMember(index, ['entry']))
    const exit = makeMember(9, ['exit'])
    const stands = makeMember(3, ['relay'], { family: 'one' })
    const related = [4, 5].map((index) => makeMember(index, ['relay'], { family: 'one', asn: 64_512 + index }))
    const free = makeMember(6, ['relay'])
    const [entry] = entries as [RouteMember]
    const wishes: PathWishes = {
      hops: 4,
      beside: [idsOf([entry, stands, exit])],
      exit: { kind: 'node', id: exit.id },
    }
    for (let seed = 1; seed <= 50; seed++)
      assert.ok(nodes(choose([...entries, stands, ...related, free, exit], wishes, seed)).includes(free))
  })
})

test('the explanation of each position names each member once, as a candidate or with one reason', () => {
  const places = fc.record({
    family: fc.nat(5),
    asn: fc.nat(9),
    load: fc.nat(4),
    failed: fc.boolean(),
    busy: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(places, { minLength: 10, maxLength: 40 }), fc.integer(), (given, seed) => {
      const members = given.map(({ family, asn }, index) =>
        makeMember(index + 1, index % 3 === 0 ? ALL : MIDDLE, { family: family === 0 ? '' : `f${family}`, asn }),
      )
      const load = new Map(members.map(({ id }, index) => [id, given[index]?.load ?? 0]))
      const wishes: PathWishes = {
        failed: idsOf(members.filter((_, index) => given[index]?.failed)),
        busy: new Set(idsOf(members.filter((_, index) => given[index]?.busy))),
      }
      let leg: DrawnLeg
      try {
        leg = choose(members, wishes, seed, { load })
      } catch (error) {
        return assert.ok(isWeftError(error))
      }
      const explained = leg.explain()
      assert.equal(explained.length, 3)
      for (const position of explained) {
        const { node, weight, share, candidates, reasons } = position
        const out = reasons.list()
        assert.equal(new Set(out.map((each) => each.node)).size, members.length - candidates)
        assert.equal(
          reasons.counts.reduce((sum, { count }) => sum + count, 0),
          out.length,
        )
        for (const each of out) assert.deepEqual(position.of(each.node), each)
        const best = position.best(Infinity)
        assert.equal(best.length, candidates)
        assert.ok(best.every((each, at) => each.weight <= (best[at - 1]?.weight ?? 1)))
        assert.ok(Math.abs(best.reduce((sum, each) => sum + each.share, 0) - 1) < 1e-6)
        const own = best.find((each) => each.node === node) ?? assert.fail()
        assert.ok(Math.abs(own.weight - weight) < 1e-6 && Math.abs(own.share - share) < 1e-6, `${own.share} ${share}`)
        assert.deepEqual(position.of(node), own)
      }
    }),
  )
})
