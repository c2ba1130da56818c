import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import fc from 'fast-check'
import { drawCandidates } from '../../src/route/nearest-candidates.ts'
import { regionOf } from '../../src/route/regions.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { makeMember } from './make-member.ts'

const NOBODY: ReadonlySet<DidKey> = new Set()
const exit = (index: number, country: string, more: Partial<RouteMember> = {}): RouteMember =>
  makeMember(index, ['exit'], { country, ...more })

test('candidates are of as many regions as there are, each once, and never one that was asked', () => {
  const country = fc.constantFrom('DE', 'FR', 'US', 'JP', 'AU', 'BR', 'ZA')
  const places = fc.array(fc.record({ country, family: fc.nat(5) }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(places, fc.nat(6), fc.nat(3), fc.integer(), (all, count, askedCount, seed) => {
      const exits = all.map((place, index) => exit(index + 1, place.country, { family: `${place.family}` }))
      const asked = exits.slice(0, askedCount)
      const drawn = drawCandidates(exits, { count, asked, standing: NOBODY }, seededRandom(seed))
      const ids = new Set([...asked, ...drawn].map(({ id }) => id))
      assert.equal(ids.size, asked.length + drawn.length)
      assert.equal(drawn.length, Math.min(count, exits.length - asked.length))
      const regions = (members: readonly RouteMember[]): number => new Set(members.map((m) => regionOf(m.country))).size
      const there = regions(exits)
      assert.equal(regions([...asked, ...drawn]), Math.min(there, regions(asked) + drawn.length))
    }),
  )
})

test('of one region a circuit that stands is taken, then another family and network; else all are as likely', () => {
  const exits = [exit(1, 'DE'), exit(2, 'FR', { family: 'family-1' }), exit(3, 'NL'), exit(4, 'GB'), exit(5, 'US')]
  const [first, , third, , american] = exits as [RouteMember, RouteMember, RouteMember, RouteMember, RouteMember]
  const draw = (standing: ReadonlySet<DidKey>, asked: readonly RouteMember[], seed: number): RouteMember[] =>
    drawCandidates(exits, { count: 1, asked, standing }, seededRandom(seed))
  const counts = new Map<DidKey, number>()
  for (let seed = 0; seed < 4_000; seed++) {
    assert.deepEqual(draw(new Set([third.id]), [american], seed), [third])
    const [one] = draw(NOBODY, [american], seed)
    if (one !== undefined) counts.set(one.id, (counts.get(one.id) ?? 0) + 1)
    const [other] = draw(NOBODY, [american, first], seed)
    assert.notEqual(other?.family, first.family)
  }
  // 1,000 each; 5 standard deviations are 137.
  assert.equal(counts.size, 4)
  for (const count of counts.values()) assert.ok(Math.abs(count - 1_000) < 137, `${count}`)
})
