import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compareBytes, seededRandom } from '@weft/core'
import { toDidKey } from '@weft/crypto'
import fc from 'fast-check'
import { closestMembers, distanceOf } from '../../src/records/closest-members.ts'
import { recordQuorum } from '../../src/records/quorum.ts'
import { memberOf } from './record-network.ts'

const random = seededRandom(7)
const ids = Array.from({ length: 300 }, () => toDidKey(random.bytes(32)))

describe('record quorum', () => {
  it('has the sizes of the design page', () => {
    assert.deepEqual(recordQuorum(100), { holders: 20, faults: 6, required: 14 })
    assert.deepEqual(recordQuorum(10), { holders: 10, faults: 3, required: 7 })
    assert.deepEqual(recordQuorum(3), { holders: 3, faults: 0, required: 3 })
    assert.deepEqual(recordQuorum(0), { holders: 0, faults: 0, required: 0 })
  })

  it('lets any two quorums share more holders than may be faulty', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (members) => {
        const { holders, faults, required } = recordQuorum(members)
        assert.ok(2 * required - holders > faults)
      }),
    )
  })
})

describe('closest members', () => {
  const network = fc.record({
    size: fc.integer({ min: 1, max: 300 }),
    families: fc.integer({ min: 1, max: 60 }),
    prefixes: fc.integer({ min: 1, max: 60 }),
    key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  const membersOf = ({ size, families, prefixes }: { size: number; families: number; prefixes: number }) =>
    ids
      .slice(0, size)
      .map((id, at) =>
        memberOf(id, at, { family: `f${at % families}`, diversityAddress: `10.0.${(at * 7) % prefixes}.${at % 250}` }),
      )

  it('gives the count, each once, the same whatever the order of the map', () => {
    fc.assert(
      fc.property(network, (shape) => {
        const members = membersOf(shape)
        const closest = closestMembers(members, shape.key, 20)
        assert.equal(closest.length, Math.min(20, shape.size))
        assert.equal(new Set(closest).size, closest.length)
        assert.deepEqual(
          closestMembers(members.toReversed(), shape.key, 20).map(({ id }) => id),
          closest.map(({ id }) => id),
        )
      }),
      { numRuns: 50 },
    )
  })

  it('keeps the diversity rules wherever the network can', () => {
    fc.assert(
      fc.property(network, (shape) => {
        const members = membersOf(shape)
        const closest = closestMembers(members, shape.key, 20)
        const perFamily = Map.groupBy(closest, ({ family }) => family)
        const room = [...Map.groupBy(members, ({ family }) => family).values()].reduce(
          (sum, { length }) => sum + Math.min(2, length),
          0,
        )
        // Families are given up last: as long as there is room for 20 with two of each, no family has three.
        if (room >= closest.length) for (const [, of] of perFamily) assert.ok(of.length <= 2)
      }),
      { numRuns: 50 },
    )
  })

  it('gives the list that sorting the whole map by distance gives', () => {
    fc.assert(
      fc.property(network, (shape) => {
        // No two of one family or prefix, so that nobody is passed over.
        const members = membersOf({ size: Math.min(shape.size, 256), families: 256, prefixes: 256 })
        const sorted = members.toSorted((a, b) => compareBytes(distanceOf(a, shape.key), distanceOf(b, shape.key)))
        assert.deepEqual(closestMembers(members, shape.key, 20), sorted.slice(0, 20))
      }),
      { numRuns: 50 },
    )
  })

  it('gives the same list to whoever knows no more than that list and any of the others', () => {
    fc.assert(
      fc.property(network, fc.array(fc.nat(299), { maxLength: 100 }), (shape, others) => {
        const members = membersOf(shape)
        const closest = closestMembers(members, shape.key, 20)
        const known = new Set([...closest, ...others.flatMap((at) => members[at] ?? [])])
        assert.deepEqual(closestMembers([...known], shape.key, 20), closest)
      }),
      { numRuns: 100 },
    )
  })
})
