import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PathSet } from '../../src/engine/path-set.ts'
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
