import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DidKey } from '@weft/crypto'
import type { RouteMember } from '../../src/route/route-member.ts'
import { LOW_ORDER_KEY, makeMember } from '../route/make-member.ts'
import { type Network, network } from './routes-network.ts'

test('an entry whose onion key is none is left out, and the other one serves', async () => {
  let drawn = 0
  // Whichever is drawn first is the one or the other: of many draws both are met.
  for (let seed = 1; seed <= 10; seed++) {
    const { clock, routes, built, entries, members } = network(seed, 1)
    const [fit] = members
    const unfit = makeMember(3, ['entry'], { onionKey: LOW_ORDER_KEY })
    members.push(unfit)
    routes.keep()
    await clock.advance(5_000)
    assert.deepEqual(
      routes.legs().map(({ hops, state }) => [hops[0]?.node, state]),
      [[fit?.id, 'active']],
    )
    assert.equal(built.length, 1)
    const asked = entries.filter((key) => key === unfit.key).length
    assert.ok(asked <= 1, `it was asked ${asked} times`)
    drawn += asked
    routes.close()
  }
  assert.ok(drawn > 0)
})

test('a hop that refused the handshake under a key of before is asked as soon as the map has its new one', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const { clock, routes, members, entries, refusing } = network(seed, 1)
    members.push(makeMember(3, ['entry']))
    const [stale, , , other] = members as [RouteMember, RouteMember, RouteMember, RouteMember]
    for (const { onionKey } of [stale, other]) refusing.add(onionKey)
    routes.keep()
    await clock.advance(30_000)
    assert.match(routes.fault?.cause ?? '', /handshake refused/)
    const renewed = { ...stale, onionKey: new Uint8Array(32).fill(9) }
    members[0] = renewed
    const asked = entries.length
    routes.keep()
    await clock.advance(1_000)
    assert.deepEqual(entries.slice(asked), [stale.key], 'the other one is still left out')
    assert.deepEqual(
      routes.legs().map(({ hops, state }) => [hops[0]?.node, state]),
      [[stale.id, 'active']],
    )
    routes.close()
  }
})

test('streams begin at no member that is called over them while there is another entry', async () => {
  const { clock, routes, members, answering, serving } = network(5, 2)
  members.push(makeMember(3, ['entry']), makeMember(4, ['entry']))
  for (const exit of [0, 1]) answering.add(exit)
  routes.keep()
  await clock.advance(1_000)
  const entries = new Set<string>()
  const open = async (): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const opened = routes.open({ host: 'a.test', port: 80 }, new AbortController().signal, (_, paths) =>
      resolve(paths.entries[0]?.id ?? ''),
    )
    await clock.advance(1_000)
    await opened
    return promise
  }
  serving.add(0).add(1)
  for (const round of [1, 2, 3]) {
    const entry = await open()
    entries.add(entry)
    assert.equal(entries.size, round)
    routes.call(entry as DidKey)
    await clock.advance(1_000)
  }
  // All have been called: any of them serves.
  assert.ok(entries.has(await open()))
  assert.equal(routes.state, 'connected')
  routes.close()
})

test('an entry that cannot be reached is taken before one that is called', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { clock, routes, members } = network(seed, 2)
    const [called] = members as [RouteMember]
    const other = makeMember(3, ['entry'])
    members.push(other)
    routes.call(called.id)
    routes.keep()
    await clock.advance(20)
    // The other entry cannot be reached for the moment.
    routes.onReach(new Set([other.id]))
    await clock.advance(5_000)
    assert.deepEqual(new Set(routes.legs().map(({ hops }) => hops[0]?.node)), new Set([other.id]))
    routes.close()
  }
})

test('an entry that the network seems not to lead to is taken when the others failed, not when the overlay does not reach them', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { clock, routes, members, entries, refusing, unlikely } = network(seed, 1)
    const [likely] = members as [RouteMember]
    const others = [makeMember(3, ['entry']), makeMember(4, ['entry'])]
    members.push(...others)
    for (const { id } of others) unlikely.add(id)
    // Where little is let through the overlay reaches nobody.
    routes.onReach(new Set(members.map(({ id }) => id)))
    refusing.add(likely.onionKey)
    await clock.advance(20)
    assert.deepEqual(entries[0], likely.key)
    await clock.advance(5_000)
    assert.ok(others.some(({ id }) => id === routes.legs()[0]?.hops[0]?.node))
    routes.close()
  }
})

/** The entry over which a stream is opened now. */
async function entryOf({ clock, routes }: Network): Promise<DidKey | undefined> {
  let entry: DidKey | undefined
  const opened = routes.open({ host: 'a.test', port: 80 }, new AbortController().signal, (stream, paths) => {
    entry = paths.entries[0]?.id
    stream.reset(0)
    paths.forget(stream)
  })
  await clock.advance(2_000)
  await opened
  return entry
}

test('streams that had to begin at a member that is called do so no more when there is another entry', async () => {
  const rig = network(5, 2)
  const { clock, routes, members, answering, serving } = rig
  for (const exit of [0, 1]) {
    answering.add(exit)
    serving.add(exit)
  }
  const [called] = members as [RouteMember]
  routes.call(called.id)
  assert.equal(await entryOf(rig), called.id)
  const other = makeMember(3, ['entry'])
  members.push(other)
  routes.keep()
  assert.equal(await entryOf(rig), other.id)
  await clock.advance(1_000)
  assert.equal(await entryOf(rig), other.id)
  routes.close()
})

test('guards are called one after the other: another of the six is taken while there is one, and no entry beside them', async () => {
  const rig = network(5, 2)
  const { clock, routes, members, answering, serving } = rig
  for (const exit of [0, 1]) {
    answering.add(exit)
    serving.add(exit)
  }
  for (let index = 20; index < 32; index++) members.push(makeMember(index, ['entry']))
  const entries = new Set<DidKey>()
  for (let round = 1; round <= 12; round++) {
    const entry = (await entryOf(rig)) ?? assert.fail()
    entries.add(entry)
    assert.equal(entries.size, Math.min(round, 6))
    routes.call(entry)
    await clock.advance(1_000)
  }
  routes.close()
})
