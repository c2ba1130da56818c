import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { ClientChoice } from '../../src/route/client-choice.ts'
import { HEALTH_KNOWN_MS } from '../../src/route/learned-measures.ts'
import type { HopStatus } from '../../src/vpn.ts'
import { makeMember } from './make-member.ts'
import { testChoice } from './test-choice.ts'

const entries = Array.from({ length: 3 }, (_, at) => makeMember(1 + at, ['entry']))
const relays = Array.from({ length: 12 }, (_, at) => makeMember(20 + at, ['relay']))
const exits = Array.from({ length: 12 }, (_, at) => makeMember(50 + at, ['exit']))

function choiceOf(clock: VirtualClock): ClientChoice {
  const choice = testChoice({ clock })
  choice.setMembers([...entries, ...relays, ...exits])
  return choice
}

const hop = (node: DidKey, latencyMs: number, health: HopStatus['health'] = 'green') => ({ node, latencyMs, health })

const isEntry = (node: DidKey): boolean => entries.some(({ id }) => id === node)

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

test('a node that was found unwell, and is not drawn any more, is drawn again after some minutes', async () => {
  for (const health of ['red', 'yellow'] as const) {
    const clock = new VirtualClock()
    const choice = choiceOf(clock)
    const [entry, relay, exit] = [entries[0]?.id as DidKey, relays[0]?.id as DidKey, exits[0]?.id as DidKey]
    const usual = drawn(choice, 2_000).get(relay) ?? 0
    choice.learn([hop(entry, 5), hop(relay, 5, health), hop(exit, 5)])
    await clock.advance(30_000)
    const unwell = drawn(choice, 2_000).get(relay) ?? 0
    assert.ok(health === 'red' ? unwell === 0 : unwell < 0.75 * usual, `${health} ${unwell}`)
    // Not sooner: a leg that is replaced is not to come back with the next draw.
    await clock.advance(HEALTH_KNOWN_MS - 60_000)
    assert.ok((drawn(choice, 2_000).get(relay) ?? 0) < 0.75 * usual)
    await clock.advance(60_000)
    const after = drawn(choice, 2_000).get(relay) ?? 0
    assert.ok(after > 0.75 * usual, `${health} ${after} of ${usual}`)
  }
})

test('times that were measured are forgotten, too', async () => {
  const clock = new VirtualClock()
  const choice = choiceOf(clock)
  choice.choose({})
  for (const { id: entry } of entries)
    for (const [at, { id: relay }] of relays.entries()) choice.learn([hop(entry, 5), hop(relay, at < 6 ? 5 : 500)])
  const farOnes = (): number => {
    const counts = drawn(choice, 2_000)
    return relays.slice(6).reduce((sum, { id }) => sum + (counts.get(id) ?? 0), 0)
  }
  await clock.advance(30_000)
  const known = farOnes()
  await clock.advance(60 * 60_000)
  assert.ok(known < 700 && farOnes() > 850, `${known}`)
})

test('a link that is named is of two nodes: both are left out, but no entry is for what is behind it', async () => {
  const clock = new VirtualClock()
  const choice = choiceOf(clock)
  const [entry, relay, exit] = [entries[0]?.id as DidKey, relays[0]?.id as DidKey, exits[0]?.id as DidKey]
  choice.choose({})
  choice.learn([hop(entry, 5), hop(relay, 5), hop(exit, 5, 'red')])
  await clock.advance(30_000)
  const counts = drawn(choice, 600)
  assert.deepEqual([counts.get(relay), counts.get(exit)], [undefined, undefined])
  const other = choiceOf(clock)
  const withGuards = drawn(other, 300)
  for (const { id } of entries) other.learn([hop(id, 5), hop(relays[1]?.id as DidKey, 5, 'red'), hop(exit, 5)])
  await clock.advance(30_000)
  assert.deepEqual([...drawn(other, 300).keys()].filter(isEntry), [...withGuards.keys()].filter(isEntry))
})

test('a tenth of nodes that blames others gets no more than its share by it', async () => {
  const [NODES, HOSTILE] = [60, 6]
  const clock = new VirtualClock()
  const choice = choiceOf(clock)
  const others = Array.from({ length: NODES }, (_, at) => makeMember(200 + at, ['relay', 'exit']))
  choice.setMembers([...entries, ...others])
  const hostile = new Set(others.slice(0, HOSTILE).map(({ id }) => id))
  const slander = (nodes: readonly DidKey[]): void => {
    const [, relay, exit] = nodes as [DidKey, DidKey, DidKey]
    const isBlamed = hostile.has(relay) && !hostile.has(exit)
    choice.learn(nodes.map((node, at) => hop(node, 5, isBlamed && at === 2 ? 'red' : 'green')))
  }
  let [routes, bad] = [0, 0]
  for (let looks = 0; looks < 2_000; looks++) {
    for (let leg = 0; leg < 4; leg++) {
      const nodes = choice.choose({}).hops.map(({ id }) => id)
      slander(nodes)
      if (looks < 500) continue
      routes += 2
      bad += nodes.filter((id) => hostile.has(id)).length
    }
    await clock.advance(15_000)
  }
  const share = bad / routes
  assert.ok(share < 0.11, `${share} of all relays and exits`)
})
