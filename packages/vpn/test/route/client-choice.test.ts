import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, seededRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { DEFAULT_ROUTE_PROFILE } from '../../src/profile/route-profile.ts'
import { ClientChoice } from '../../src/route/client-choice.ts'
import type { HopStatus } from '../../src/vpn.ts'
import { makeMember } from './make-member.ts'

const entries = Array.from({ length: 3 }, (_, at) => makeMember(1 + at, ['entry']))
const relays = Array.from({ length: 12 }, (_, at) => makeMember(20 + at, ['relay']))
const exits = Array.from({ length: 12 }, (_, at) => makeMember(50 + at, ['exit']))

function choiceOf(clock: VirtualClock): ClientChoice {
  const choice = new ClientChoice({
    self: makeMember(99, []).id,
    clock,
    random: seededRandom(1),
    guards: undefined,
    profile: DEFAULT_ROUTE_PROFILE,
    keepGuards: () => {},
  })
  choice.setMembers([...entries, ...relays, ...exits])
  return choice
}

const hop = (node: DidKey, latencyMs: number, health: HopStatus['health'] = 'green') => ({ node, latencyMs, health })

/** How often each node is drawn. */
function drawn(choice: ClientChoice, times: number): Map<DidKey, number> {
  const counts = new Map<DidKey, number>()
  for (let time = 0; time < times; time++)
    for (const { id } of choice.choose({}).hops) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

test('what legs measured counts: nodes on a short way are drawn more often than those on a long one, and these still are', async () => {
  const clock = new VirtualClock()
  const choice = choiceOf(clock)
  choice.choose({})
  for (const { id: entry } of entries)
    for (const [at, { id: relay }] of relays.entries())
      for (const { id: exit } of exits) choice.learn([hop(entry, 5), hop(relay, at < 6 ? 5 : 200), hop(exit, 20)])
  await clock.advance(30_000)
  const counts = drawn(choice, 2_000)
  const of = (from: number, to: number): number =>
    relays.slice(from, to).reduce((sum, { id }) => sum + (counts.get(id) ?? 0), 0)
  assert.ok(of(0, 6) > 2 * of(6, 12), `${of(0, 6)} and ${of(6, 12)}`)
  assert.ok(of(6, 12) > 100)
})

test('a node that was found unwell is left out, and comes back once it is well', async () => {
  const clock = new VirtualClock()
  const choice = choiceOf(clock)
  const [entry, relay, exit] = [entries[0]?.id as DidKey, relays[0]?.id as DidKey, exits[0]?.id as DidKey]
  choice.choose({})
  choice.learn([hop(entry, 5), hop(relay, 5, 'red'), hop(exit, 5)])
  assert.ok((drawn(choice, 300).get(relay) ?? 0) > 0, 'not before the chooser is made anew')
  await clock.advance(30_000)
  assert.equal(drawn(choice, 300).get(relay), undefined)
  choice.learn([hop(entry, 5), hop(relay, 5), hop(exit, 5)])
  await clock.advance(30_000)
  assert.ok((drawn(choice, 300).get(relay) ?? 0) > 0)
})

test('what was measured of members that left the map is forgotten', () => {
  const choice = choiceOf(new VirtualClock())
  const [entry, relay, exit] = [entries[0]?.id as DidKey, relays[0]?.id as DidKey, exits[0]?.id as DidKey]
  choice.learn([hop(entry, 5), hop(relay, 5, 'red'), hop(exit, 5)])
  choice.setMembers([...entries, ...relays.slice(1), ...exits])
  choice.setMembers([...entries, ...relays, ...exits])
  assert.ok((drawn(choice, 600).get(relay) ?? 0) > 0)
})

test('members are found by their id, and what the map says of all is not looked at for each choice', () => {
  const choice = choiceOf(new VirtualClock())
  const [relay, exit] = [relays[0] ?? assert.fail(), exits[0] ?? assert.fail()]
  let reads = 0
  const counted = {
    ...exit,
    get bandwidthMbps() {
      reads++
      return 100
    },
  }
  choice.setMembers([...entries, ...relays.slice(1), counted])
  assert.deepEqual([choice.member(exit.id), choice.member(relay.id)], [counted, undefined])
  choice.choose({})
  const once = reads
  assert.ok(once > 0)
  drawn(choice, 10)
  assert.equal(reads, once)
})
