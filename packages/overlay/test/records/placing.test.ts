import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock, compareBytes, seededRandom } from '@weft/core'
import { toDidKey } from '@weft/crypto'
import fc from 'fast-check'
import type { Member } from '../../src/member.ts'
import { closestMembers, distanceOf, stands } from '../../src/records/closest-members.ts'
import { type Placing, placingOf, standing } from '../../src/records/placing.ts'
import { RecordPlacement, isSamePlacement } from '../../src/records/record-placement.ts'
import { memberOf } from './record-network.ts'

const random = seededRandom(11)
const unplaced = Array.from({ length: 60 }, (_, at) =>
  memberOf(toDidKey(random.bytes(32)), at, { family: `f${at}`, diversityAddress: `10.0.${at}.1` }),
)
const place = (members: readonly Member[], count: number): readonly Member[] =>
  members.map((member, at) => (at < count ? { ...member, position: random.bytes(32) } : member))
const KEY = random.bytes(32)

/** A membership that a test changes by hand. */
function membershipOf(members: readonly Member[], placing: Placing) {
  return { members: () => members, placing } as unknown as ConstructorParameters<typeof RecordPlacement>[0] & {
    members: () => readonly Member[]
    placing: Placing
  }
}

describe('positions by beacon', () => {
  it('count once half of the members have one', () => {
    assert.equal(placingOf({ count: 10, placed: 0 }), 'key')
    assert.equal(placingOf({ count: 10, placed: 4 }), 'key')
    assert.equal(placingOf({ count: 10, placed: 5 }), 'beacon')
    assert.equal(placingOf({ count: 1, placed: 1 }), 'beacon')
    assert.equal(standing({ count: 10, placed: 4 }), 10)
    assert.equal(standing({ count: 10, placed: 6 }), 6)
  })

  it('then decide who is closest, and whoever has none holds nothing', () => {
    const members = place(unplaced, 40)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const right = members
          .slice(0, 40)
          .toSorted((a, b) => compareBytes(distanceOf(a, key, 'beacon'), distanceOf(b, key, 'beacon')))
        assert.deepEqual(closestMembers(members, key, 20, 'beacon'), right.slice(0, 20))
      }),
    )
    assert.equal(closestMembers(members, KEY, 60, 'beacon').length, 40)
    assert.equal(closestMembers(members, KEY, 60, 'key').length, 60)
    assert.throws(() => distanceOf(members[50] as Member, KEY, 'beacon'), RangeError)
    assert.equal(stands(members[50] as Member, 'beacon'), false)
  })

  it('are distances from the position as it is', () => {
    const [member] = place(unplaced, 1) as [Member]
    assert.deepEqual(distanceOf(member, member.position as Uint8Array, 'beacon'), new Uint8Array(32))
  })

  it('change who holds what like members that come and go: for a while both are asked', () => {
    const clock = new VirtualClock(0)
    const membership = membershipOf(unplaced, 'key')
    const placement = new RecordPlacement(membership, clock)
    const before = placement.plan(KEY)
    const placed = place(unplaced, 60)
    Object.assign(membership, { members: () => placed, placing: 'beacon' })
    const after = placement.plan(KEY)
    assert.deepEqual(
      after.holders,
      closestMembers(placed, KEY, 20, 'beacon').map(({ id }) => id),
    )
    assert.equal(after.groups.length, 2)
    assert.deepEqual(after.groups[1]?.ids, new Set(before.holders))
    assert.deepEqual(placement.before(KEY), before.holders)
  })

  it('make the quorum that of the members which have one', () => {
    const placed = place(unplaced.slice(0, 12), 7)
    const { holders, groups } = new RecordPlacement(membershipOf(placed, 'beacon'), new VirtualClock(0)).plan(KEY)
    assert.equal(holders.length, 7)
    assert.equal(groups[0].required, 5)
  })

  it('are not looked at while keys decide', () => {
    const [members, placed] = [unplaced, place(unplaced, 5)]
    assert.equal(isSamePlacement({ members, placing: 'key' }, { members: placed, placing: 'key' }), true)
    assert.equal(isSamePlacement({ members, placing: 'key' }, { members, placing: 'beacon' }), false)
    assert.equal(isSamePlacement({ members, placing: 'beacon' }, { members: placed, placing: 'beacon' }), false)
    assert.equal(isSamePlacement({ members: placed, placing: 'beacon' }, { members: placed, placing: 'beacon' }), true)
  })
})
