import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import { SigningKey, sha256 } from '@weft/crypto'
import type { Member } from '@weft/overlay'
import fc from 'fast-check'
import { STORAGE_CLASSES } from '../../src/object/storage-class.ts'
import { DIVERSITY_KINDS, groupOf, relaxedRules, strictLimits } from '../../src/placement/diversity.ts'
import { nextHolder, placeShards } from '../../src/placement/place-shards.ts'
import { byRendezvous } from '../../src/placement/rendezvous.ts'
import { memberAt } from '../support/memory-network.ts'

const ids = Array.from({ length: 120 }, (_, at) => new SigningKey(sha256(Uint8Array.of(at))).id)
const tiny = STORAGE_CLASSES[0]

const members = fc
  .array(
    fc.record({
      family: fc.constantFrom('', 'a', 'b', 'c', 'd', 'e', 'f'),
      asn: fc.integer({ min: 1, max: 8 }),
      region: fc.constantFrom('eu', 'us', 'asia', 'sa'),
      diversityAddress: fc.integer({ min: 1, max: 20 }).map((net) => `10.0.${net}.7`),
    }),
    { minLength: 0, maxLength: 40 },
  )
  .map((places) => places.map((place, at) => memberAt(ids[at]!, at, place)))

test('holders are distinct; a rule is broken only where it is said, and none is when there is room', () => {
  fc.assert(
    fc.property(members, fc.uint8Array({ minLength: 32, maxLength: 32 }), (candidates, object) => {
      const placement = placeShards(object, tiny, candidates)
      assert.equal(placement === undefined, candidates.length < tiny.n)
      if (placement === undefined) return
      assert.equal(new Set(placement.holders.map((member) => member.id)).size, tiny.n)
      assert.deepEqual(placement.relaxed, relaxedRules(placement.holders, tiny))
      const limits = strictLimits(tiny)
      const worst = (kind: (typeof DIVERSITY_KINDS)[number]): number =>
        Math.max(
          ...[...Map.groupBy(placement.holders, (member) => groupOf(member, kind)).values()].map(
            (group) => group.length,
          ),
        )
      const broken = DIVERSITY_KINDS.some((kind) => worst(kind) > limits[kind])
      assert.equal(placement.relaxed.length > 0, broken)
    }),
  )
})

test('a network with room keeps every rule, in every class', () => {
  for (const stored of STORAGE_CLASSES) {
    const candidates = ids.map((id, at) => memberAt(id, at))
    const placement = placeShards(seededRandom(stored.n).bytes(32), stored, candidates)
    assert.deepEqual(placement?.relaxed, [])
  }
})

test('regions are relaxed before operators: two of a family or ASN at most while nodes allow it', () => {
  const candidates = Array.from({ length: 9 }, (_, at) =>
    memberAt(ids[at]!, at, { region: 'eu', family: `f${at >> 1}` }),
  )
  const placement = placeShards(new Uint8Array(32), tiny, candidates)
  assert.deepEqual(placement?.relaxed, ['9 shards of a segment are in the region eu; the rule allows 3'])
})

test('a node that joins takes over only its own places', () => {
  const before = ids.slice(0, 60).map((id, at) => memberAt(id, at))
  const joined = memberAt(ids[60]!, 60)
  const names = (list: readonly Member[]): string[] => list.map((member) => member.id)
  for (let seed = 0; seed < 20; seed++) {
    const object = seededRandom(seed).bytes(32)
    const old = names(placeShards(object, tiny, before)!.holders)
    const now = names(placeShards(object, tiny, [...before, joined])!.holders)
    // One comes in; the diversity rules may make one more way for it.
    assert.ok(now.filter((id) => !old.includes(id)).length <= 2)
  }
})

test('load is spread: no node is chosen out of proportion', () => {
  const candidates = ids.slice(0, 45).map((id, at) => memberAt(id, at))
  const counts = new Map<string, number>()
  for (let seed = 0; seed < 500; seed++) {
    for (const { id } of placeShards(seededRandom(seed).bytes(32), tiny, candidates)!.holders)
      counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  // 500 objects of 9 shards over 45 nodes: 100 each, standard deviation 9.
  for (const count of counts.values()) assert.ok(count > 50 && count < 150, `${count}`)
})

test('whoever takes the place of another keeps the rules beside those that stay, as far as somebody can', () => {
  fc.assert(
    fc.property(
      members,
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.nat({ max: 8 }),
      (candidates, object, gone) => {
        const placement = placeShards(object, tiny, candidates)
        if (placement === undefined) return
        const staying = placement.holders.filter((_, at) => at !== gone)
        const others = candidates.filter((member) => !placement.holders.includes(member))
        // Those that stay are never chosen again, though they are candidates.
        const next = nextHolder(object, tiny, staying, [...staying, ...others])
        assert.equal(next === undefined, others.length === 0)
        if (next === undefined) return
        assert.ok(others.includes(next))
        const keeps = (member: Member): boolean => {
          const limits = strictLimits(tiny)
          return DIVERSITY_KINDS.every(
            (kind) => staying.filter((one) => groupOf(one, kind) === groupOf(member, kind)).length < limits[kind],
          )
        }
        const strict = others.filter(keeps)
        if (strict.length > 0) assert.equal(next, byRendezvous(object, strict)[0])
      },
    ),
  )
})
