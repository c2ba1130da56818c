import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SessionStream } from '@weft/onion'
import type { PathSet } from '../../src/engine/path-set.ts'
import { DEFAULT_ROUTE_PROFILE } from '../../src/profile/route-profile.ts'
import { makeMember } from '../route/make-member.ts'
import { legsOf, network } from './routes-network.ts'

test('after some time new streams take another path set, and those that run stay where they are', async () => {
  const rig = network(5, 4, { rotationMs: 600_000 })
  const { clock, routes, built, answering, serving } = rig
  for (const exit of [0, 1, 2, 3]) {
    answering.add(exit)
    serving.add(exit)
  }
  routes.keep()
  await clock.advance(1_000)
  const held: PathSet[] = []
  const open = async (): Promise<PathSet> => {
    const { promise, resolve } = Promise.withResolvers<PathSet>()
    const opened = routes.open({ host: 'a.test', port: 80 }, new AbortController().signal, (_, paths) => resolve(paths))
    await clock.advance(1_000)
    await opened
    return promise
  }
  const first = await open()
  held.push(first)
  await clock.advance(400_000)
  assert.equal(await open(), first, 'before three quarters of the time')
  await clock.advance(400_000)
  const second = await open()
  assert.notEqual(second, first)
  assert.deepEqual([first.over, first.streams, built.length], [false, 2, 2])
  assert.equal(routes.events.find(({ kind }) => kind === 'rotated')?.code, 'ROUTE_ROTATED')
  // What is asked of routes has changed: the same at once.
  routes.renew()
  await clock.advance(1_000)
  const third = await open()
  assert.ok(third !== second && third !== first)
  assert.deepEqual([first.over, second.over], [false, false])
  routes.close()
})

test('where nobody meets what is asked now, new streams are refused with the reason, and those that run stay', async () => {
  // Two spares: those in reserve lead to exits that nobody wants any more, too.
  const { clock, routes, choice, answering, serving } = network(5, 4, { rotationMs: 600_000, spares: 2 })
  for (const exit of [0, 1, 2, 3]) {
    answering.add(exit)
    serving.add(exit)
  }
  routes.keep()
  await clock.advance(1_000)
  const ends: string[] = []
  const open = async (): Promise<PathSet> => {
    const { promise, resolve } = Promise.withResolvers<PathSet>()
    const take = (stream: SessionStream, paths: PathSet): void => {
      stream.handler = { onReset: () => ends.push('reset'), onEnd: () => ends.push('end') }
      resolve(paths)
    }
    const opened = routes.open({ host: 'a.test', port: 80 }, new AbortController().signal, take)
    const failed = opened.then(() => promise)
    failed.catch(() => {})
    await clock.advance(1_000)
    return failed
  }
  const first = await open()
  choice.setProfile({ ...DEFAULT_ROUTE_PROFILE, exit: 'SE' })
  routes.renew()
  assert.deepEqual([routes.state, routes.fault?.code], ['blocked', 'E_NO_EXIT'])
  assert.equal(routes.events[0]?.kind, 'blocked')
  await assert.rejects(open(), { code: 'E_NO_EXIT', message: /not the exit that was asked for/ })
  await clock.advance(60_000)
  await assert.rejects(open(), { code: 'E_NO_EXIT' })
  assert.deepEqual([first.over, first.streams, ends], [false, 1, []])
  // Only the one with a stream is left of those that meet it no more.
  assert.equal(routes.legs().length, 1)
  choice.setProfile({ ...DEFAULT_ROUTE_PROFILE, exit: 'DE' })
  routes.renew()
  await clock.advance(1_000)
  assert.equal(routes.state, 'connected')
  assert.notEqual(await open(), first)
  const rotated = routes.events.find(({ kind }) => kind === 'rotated')
  assert.match(rotated?.cause ?? '', /the profile was changed/)
  assert.doesNotMatch(rotated?.cause ?? '', /time/)
  assert.deepEqual([first.over, ends], [false, []])
  routes.close()
})

test('however often what is asked changes, there is room for what is asked last', async () => {
  const { clock, routes, choice, answering, serving } = network(5, 4)
  for (const exit of [0, 1, 2, 3]) {
    answering.add(exit)
    serving.add(exit)
  }
  routes.keep()
  const held: PathSet[] = []
  for (let change = 0; change < 10; change++) {
    await clock.advance(1_000)
    const opened = routes.open({ host: 'a.test', port: 80 }, new AbortController().signal, (_, paths) =>
      held.push(paths),
    )
    await clock.advance(1_000)
    await opened
    choice.setProfile({ ...DEFAULT_ROUTE_PROFILE, hops: 3, legs: change % 2 === 0 ? 1 : 2 })
    routes.renew()
  }
  await clock.advance(1_000)
  assert.equal(routes.state, 'connected')
  assert.equal(new Set(held).size, 10)
  // Those in which something runs, six at most, end in the order in which they began.
  assert.deepEqual(
    held.map(({ over }) => over),
    [true, true, true, true, false, false, false, false, false, false],
  )
  routes.close()
})

test('a path set whose time is over ends when nothing runs over it', async () => {
  const { clock, routes, built, answering, serving } = network(5, 4, { rotationMs: 600_000 })
  for (const exit of [0, 1, 2, 3]) {
    answering.add(exit)
    serving.add(exit)
  }
  routes.keep()
  await clock.advance(1_000)
  assert.equal(routes.state, 'connected')
  await clock.advance(800_000)
  assert.equal(built.length, 2)
  assert.deepEqual(
    routes.legs().map(({ state }) => state),
    ['active'],
  )
  assert.equal(routes.events.filter(({ kind }) => kind === 'rotated').length, 1)
  routes.close()
})

test('a path set that has been much nearer for a minute takes new streams, and one that is nearer for a moment does not', async () => {
  const { clock, routes, members, built, answering, serving, pongMs } = network(5, 3, { spares: 1 })
  members.push(makeMember(3, ['entry']), makeMember(4, ['relay']))
  for (const exit of [0, 1, 2]) {
    answering.add(exit)
    serving.add(exit)
    pongMs.set(exit, 50)
  }
  routes.keep()
  await clock.advance(1_000)
  const [used, spare] = built as [number, number]
  assert.equal(legsOf(routes, members)[0]?.[0], used)
  await clock.advance(30_000)
  pongMs.set(spare, 10)
  await clock.advance(20_000)
  assert.equal(legsOf(routes, members)[0]?.[0], used)
  await clock.advance(150_000)
  assert.equal(legsOf(routes, members)[0]?.[0], spare)
  assert.match(routes.events.find(({ kind }) => kind === 'improved')?.cause ?? '', /ms there and back in place of/)
  // Nothing is gained by going back and forth.
  await clock.advance(300_000)
  assert.equal(routes.events.filter(({ kind }) => kind === 'improved').length, 1)
  routes.close()
})

test('once they are closed no timer is left of them, whatever was under way', async () => {
  // Used and ready; being built; in use until their time is over, with a spare; without a hope.
  for (const [spares, ms, way] of [
    [0, 100, true],
    [2, 0, true],
    [2, 20_000, true],
    [1, 5_000, false],
  ] as const) {
    const { clock, routes, answering, serving, way: entry } = network(5, 4, { spares, rotationMs: 600_000 })
    entry.answers = way
    for (const exit of [0, 1, 2, 3]) {
      answering.add(exit)
      serving.add(exit)
    }
    routes.keep()
    const opened = routes.open({ host: 'a.test', port: 80 }, new AbortController().signal, () => {})
    opened.catch(() => {})
    await clock.advance(ms)
    assert.ok(clock.nextDue !== undefined)
    routes.close()
    // What the circuits of this test have under way, up to 10 ms.
    await clock.advance(10)
    assert.deepEqual([clock.nextDue, routes.legs()], [undefined, []], `${spares} spares, ${ms} ms`)
  }
})
