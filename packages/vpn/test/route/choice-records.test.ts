import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { RouteMember } from '../../src/route/route-member.ts'
import { makeMember } from './make-member.ts'
import { testChoice } from './test-choice.ts'

const SELF = makeMember(999, []).id

function choiceOf(members: readonly RouteMember[]) {
  const clock = new VirtualClock(5_000)
  const choice = testChoice({ self: SELF, clock })
  choice.setMembers(members)
  return { clock, choice }
}

const entries = Array.from({ length: 9 }, (_, at) => makeMember(1 + at, ['entry']))
const relays = Array.from({ length: 200 }, (_, at) => makeMember(20 + at, ['relay'], at < 20 ? { family: 'one' } : {}))
const exits = Array.from({ length: 12 }, (_, at) => makeMember(400 + at, ['exit']))
const ALL = [...entries, ...relays, ...exits]

test('of each hop it is told how many came into question, how many fell out for what, and what one node was', () => {
  const { choice } = choiceOf(ALL)
  const failed = relays[50] as RouteMember
  const { hops } = choice.choose({ failed: [failed.id], notExits: new Set([exits[0]?.id as DidKey]) })
  const told = choice.describe(hops, { named: 5, node: failed.id }) ?? assert.fail()
  assert.equal(told.chosenAt, choice.describe(hops, { named: 0 })?.chosenAt)
  assert.deepEqual(
    told.hops.map(({ node, role }) => [node, role]),
    hops.map(({ id }, at) => [id, ['entry', 'relay', 'exit'][at]]),
  )
  for (const { candidates, discarded, heaviest, out } of told.hops) {
    assert.equal(candidates + discarded.reduce((sum, { count }) => sum + count, 0), ALL.length)
    assert.ok(discarded.every(({ count, words }, at) => words !== '' && count <= (discarded[at - 1]?.count ?? count)))
    assert.ok(heaviest.length <= 5 && out.length <= 5 && heaviest.some(({ standing }) => standing === 'chosen'))
  }
  const [entry, relay, exit] = told.hops
  assert.deepEqual([entry?.weight, entry?.share, entry?.asked?.reason], [1, 1, 'role'])
  assert.ok(entry?.discarded.some(({ reason, count }) => reason === 'no-guard' && count === 6))
  assert.deepEqual([relay?.asked?.standing, relay?.asked?.reason], ['out', 'failed'])
  assert.ok(exit?.discarded.some(({ reason, count }) => reason === 'excluded' && count === 1))
})

test('a node that was alike is told with whom, one that came into question with its chance, and others as they are', () => {
  const twin = makeMember(900, ['relay'], { family: exits[3]?.family ?? '' })
  const { choice } = choiceOf([...entries, ...relays, exits[3] as RouteMember, twin])
  const { hops } = choice.choose({})
  const standing = (node: DidKey) => choice.describe(hops, { named: 0, node })?.hops[1]?.asked ?? assert.fail()
  const alike = standing(twin.id)
  assert.deepEqual([alike.standing, alike.reason, alike.beside], ['out', 'family', exits[3]?.id])
  const chosen = standing(hops[1]?.id as DidKey)
  assert.deepEqual([chosen.standing, chosen.reason], ['chosen', undefined])
  const candidate = standing(relays.find(({ id }) => id !== hops[1]?.id)?.id as DidKey)
  assert.equal(candidate.standing, 'candidate')
  assert.ok((candidate.weight ?? 0) > 0 && (candidate.share ?? 0) > 0 && (candidate.share ?? 1) < 0.1)
  assert.equal(standing(SELF).standing, 'unlisted')
})

test('it stays as it was when it was chosen, whatever the map and the time are since; it is told of the very hops alone', async () => {
  const { clock, choice } = choiceOf(ALL)
  const { hops } = choice.choose({})
  const before = choice.describe(hops, { named: 5 })
  await clock.advance(60_000)
  choice.setMembers(ALL.slice(0, 100))
  assert.deepEqual(choice.describe(hops, { named: 5 }), before)
  assert.equal(choice.describe([...hops], { named: 5 }), undefined)
})

test('no more than 100 members of each kind are named, the heaviest first; it is plain data', () => {
  const { choice } = choiceOf(ALL)
  const { hops } = choice.choose({})
  const told = choice.describe(hops, { named: 1_000_000 }) ?? assert.fail()
  const relay = told.hops[1] ?? assert.fail()
  assert.deepEqual([relay.heaviest.length, relay.candidates > 100], [100, true])
  assert.ok(told.hops.every(({ heaviest, out }) => heaviest.length <= 100 && out.length <= 100))
  const weights = relay.heaviest.map(({ weight }) => weight ?? 0)
  assert.deepEqual(
    weights,
    weights.toSorted((a, b) => b - a),
  )
  assert.deepEqual(structuredClone(told), told)
})
