import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isWeftError, seededRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Role } from '@weft/overlay'
import fc from 'fast-check'
import { chooseRoute } from '../../src/route/choose-route.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { makeMember } from './make-member.ts'

let counter = 0
const member = (roles: readonly Role[], more?: Partial<RouteMember>): RouteMember => makeMember(++counter, roles, more)

const NONE = { never: new Set<DidKey>(), busy: new Set<DidKey>(), failed: [] as readonly DidKey[] }
const middle = (more?: Partial<RouteMember>): RouteMember => member(['storage', 'entry', 'relay'], more)
const exit = (more?: Partial<RouteMember>): RouteMember => member(['exit'], more)

describe('choice of a route', () => {
  test('three distinct nodes, each of its role, no two of one family, network or AS', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 4, max: 12 }), (seed, size) => {
        const members = [
          ...Array.from({ length: size }, (_, index) =>
            middle({ family: `f${index % 5}`, prefix: `p${index % 7}`, asn: 1 + (index % 6) }),
          ),
          exit({ family: 'f0' }),
          exit({ family: 'x', asn: 1 }),
        ]
        const hops = chooseRoute(members, NONE, seededRandom(seed))
        assert.equal(hops.length, 3)
        for (const pick of ['id', 'family', 'prefix', 'asn'] as const)
          assert.equal(new Set(hops.map((hop) => hop[pick])).size, 3, pick)
        assert.ok(['entry', 'relay', 'exit'].every((role, index) => hops[index]?.roles.includes(role as Role)))
      }),
    )
  })

  test('every node that can serve is chosen now and then', () => {
    const members = [...Array.from({ length: 6 }, () => middle()), exit(), exit()]
    const random = seededRandom(7)
    const seen = new Set<string>()
    for (let round = 0; round < 300; round++) for (const { id } of chooseRoute(members, NONE, random)) seen.add(id)
    assert.equal(seen.size, members.length)
  })

  test('never itself; avoided nodes only when nobody else is left', () => {
    const members = [middle(), middle(), middle(), exit()]
    const [first, second, third] = members as [RouteMember, RouteMember, RouteMember]
    const random = seededRandom(1)
    for (let round = 0; round < 50; round++) {
      const hops = chooseRoute(members, { ...NONE, never: new Set([first.id]) }, random)
      assert.ok(!hops.includes(first))
    }
    const hops = chooseRoute(members, { ...NONE, never: new Set([first.id]), failed: [third.id] }, random)
    assert.ok(hops.includes(second) && hops.includes(third))
  })

  test('nodes of another leg are taken again before one that failed', () => {
    const [one, other] = [exit(), exit()]
    const members = [middle(), middle(), one, other]
    const random = seededRandom(5)
    for (let round = 0; round < 50; round++) {
      const hops = chooseRoute(members, { ...NONE, busy: new Set([one.id]), failed: [other.id] }, random)
      assert.equal(hops[2], one)
    }
  })

  test('where some nodes of another leg are needed, those that are not stay out', () => {
    const [one, other] = [exit(), exit()]
    const only = [member(['entry']), member(['relay'])] as const
    const busy = new Set([one, ...only].map(({ id }) => id))
    const random = seededRandom(8)
    for (let round = 0; round < 50; round++) {
      assert.deepEqual(chooseRoute([...only, one, other], { ...NONE, busy }, random), [...only, other])
    }
  })

  test('of those that failed the one that failed first is tried again, and never the one that a leg is being built to', () => {
    const [first, second] = [exit(), exit()]
    const members = [middle(), middle(), middle(), middle(), first, second]
    const random = seededRandom(6)
    const failed = [first.id, second.id]
    for (let round = 0; round < 50; round++) {
      assert.equal(chooseRoute(members, { ...NONE, failed }, random)[2], first)
    }
  })

  const failing: [string, () => RouteMember[], string, RegExp][] = [
    ['nobody', () => [], 'E_NO_EXIT', /No member of the signed map carries packets/],
    ['no exit', () => [middle(), middle(), middle()], 'E_NO_EXIT', /none has the role exit/],
    [
      'one family',
      () => [middle({ family: 'a' }), middle({ family: 'a' }), exit({ family: 'a' })],
      'E_NO_RELAY',
      /2 same family/,
    ],
    ['no entry', () => [member(['relay']), member(['relay']), exit()], 'E_NO_ENTRY', /none has the role entry/],
  ]
  for (const [what, members, code, cause] of failing) {
    test(`${what}: ${code} tells why`, () => {
      assert.throws(
        () => chooseRoute(members(), NONE, seededRandom(3)),
        (error) => isWeftError(error, code) && cause.test(error.cause),
      )
    })
  }
})

test('a route to a service ends at a relay where there is one, and begins at none of those named while there are others', () => {
  const relays = [1, 2, 3, 4].map((index) => makeMember(index, ['entry', 'relay']))
  const exit = makeMember(9, ['exit'])
  const [first, second, third] = relays.map(({ id }) => id)
  const wishes = {
    ...NONE,
    end: 'service',
    notEntry: new Set([first, second].filter((id) => id !== undefined)),
  } as const
  const ends = new Set<string>()
  for (let seed = 1; seed <= 60; seed++) {
    const hops = chooseRoute([...relays, exit], wishes, seededRandom(seed))
    assert.equal(new Set(hops).size, 3)
    assert.ok(!wishes.notEntry.has(hops[0]?.id ?? assert.fail()))
    ends.add(hops[2]?.roles.join() ?? '')
  }
  assert.deepEqual(ends, new Set(['entry,relay', 'exit']))
  const all = { ...wishes, notEntry: new Set([...wishes.notEntry, ...relays.map(({ id }) => id)]) }
  assert.equal(chooseRoute(relays, all, seededRandom(1)).length, 3)
  assert.ok(third !== undefined)
  assert.throws(() => chooseRoute(relays.slice(0, 2), wishes, seededRandom(1)), { code: 'E_NO_RELAY' })
  assert.throws(() => chooseRoute([exit], wishes, seededRandom(1)), { code: 'E_NO_ENTRY' })
})

test('one that is named is no entry while there is another, be that one in use by another leg, failed or both', () => {
  const [named, other] = [makeMember(1, ['entry']), makeMember(2, ['entry'])] as const
  const members = [named, other, makeMember(3, ['relay']), makeMember(4, ['exit'])]
  const notEntry = new Set([named.id])
  const busy = new Set([other.id])
  for (const left of [
    { busy },
    { failed: [other.id] },
    { busy, failed: [other.id] },
    { failed: members.map(({ id }) => id) },
  ]) {
    for (let seed = 1; seed <= 20; seed++)
      assert.equal(chooseRoute(members, { ...NONE, ...left, notEntry }, seededRandom(seed))[0], other)
  }
  // The other one cannot stand beside the only exit.
  const related = [{ ...other, family: 'f' }, makeMember(4, ['exit'], { family: 'f' }), named, makeMember(3, ['relay'])]
  for (let seed = 1; seed <= 20; seed++)
    assert.equal(chooseRoute(related, { ...NONE, notEntry }, seededRandom(seed))[0], named)
})

describe('entries that the network seems not to lead to', () => {
  const [likely, other, spare] = [member(['entry']), member(['entry']), member(['entry'])] as const
  const rest = [member(['relay']), member(['relay']), exit(), exit()]
  const unlikelyEntry = new Set([other.id, spare.id])
  const draw = (wishes: object) => chooseRoute([likely, other, spare, ...rest], { ...NONE, ...wishes }, seededRandom(3))

  test('come after all others, also those of another leg and those that failed', () => {
    for (let round = 0; round < 30; round++) {
      const [entry] = chooseRoute([likely, other, spare, ...rest], { ...NONE, unlikelyEntry }, seededRandom(round))
      assert.equal(entry, likely)
    }
    assert.equal(draw({ unlikelyEntry, busy: new Set([likely.id]) })[0], likely)
    assert.equal(draw({ unlikelyEntry, failed: [likely.id, ...rest.map(({ id }) => id)] })[0], likely)
  })

  test('are as any others where there is nobody else, and come before one that is to be no entry', () => {
    const all = new Set([likely.id, other.id, spare.id])
    assert.equal(draw({ unlikelyEntry: all, failed: [other.id, spare.id] })[0], likely)
    assert.notEqual(draw({ unlikelyEntry, notEntry: new Set([likely.id]) })[0], likely)
  })
})
