import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import { DNS_STREAM } from '@weft/onion'
import { DnsLink } from '../../src/engine/dns-link.ts'
import type { PathSet } from '../../src/engine/path-set.ts'
import { answered, network } from './routes-network.ts'

/** A network whose exits all answer and serve, with a route in use. */
async function serving(exits: number, spares: number, rotationMs?: number) {
  const rig = network(5, exits, { spares, ...(rotationMs === undefined ? {} : { rotationMs }) })
  for (let exit = 0; exit < exits; exit++) {
    rig.answering.add(exit)
    rig.serving.add(exit)
  }
  rig.routes.keep()
  await rig.clock.advance(1_000)
  const open = async (host = 'a.test'): Promise<PathSet> => {
    const { promise, resolve } = Promise.withResolvers<PathSet>()
    const target = { host, port: 80 }
    const opened = rig.routes.open(target, new AbortController().signal, (_, paths) => resolve(paths))
    await answered(rig)
    await opened
    return promise
  }
  return { ...rig, open }
}

test('the path set that was asked to be kept is left when what is asked of routes has changed, as soon as another is ready', async () => {
  const { clock, routes, open, onMoved } = await serving(4, 1)
  let moves = 0
  onMoved.push(() => moves++)
  const first = await open()
  routes.prefer(first)
  await clock.advance(60_000)
  assert.equal(await open(), first)
  assert.deepEqual([moves, routes.isLeft(first)], [0, false])
  routes.renew()
  // Nothing is ready yet: what stands is not what is asked for.
  assert.deepEqual([moves, routes.isLeft(first), routes.state], [0, true, 'connecting'])
  await clock.advance(1_000)
  assert.deepEqual([moves, routes.isLeft(first), first.over], [1, true, false])
  const second = await open()
  assert.notEqual(second, first)
  assert.equal(routes.isLeft(second), false)
  // Its own spare is new as well.
  assert.deepEqual(
    routes.legs().map(({ state }) => state),
    ['active', 'spare', 'spare'],
  )
  routes.prefer(second)
  const moved = routes.events.find(({ kind }) => kind === 'moved')
  assert.match(moved?.cause ?? '', /the whole machine/)
  assert.deepEqual([moved?.node, moved?.role], [second.exit?.id, 'exit'])
  routes.close()
})

test('changes of what is asked of routes that follow each other leave no place taken for the last', async () => {
  const { clock, routes, built, open, onMoved } = await serving(4, 2)
  let moves = 0
  onMoved.push(() => moves++)
  const first = await open()
  const before = built.length
  // Each before the routes of the one before are ready.
  for (let change = 0; change < 5; change++) routes.renew()
  assert.equal(routes.state, 'connecting')
  await clock.advance(1_000)
  assert.equal(moves, 1)
  const second = await open()
  assert.notEqual(second, first)
  assert.ok(built.length - before <= 15, `${built.length - before}`)
  assert.equal(routes.legs().length, 4)
  routes.close()
})

test('what asks without an end goes over other path sets as others do, rotation by rotation, and keeps none', async () => {
  const rig = await serving(4, 0, 600_000)
  const { clock, routes, built, onMoved } = rig
  const link = new DnsLink({
    clock,
    random: seededRandom(2),
    open: (...request) => routes.open(DNS_STREAM, ...request),
  })
  onMoved.push(() => link.moved())
  // Three times the longest that a path set is in use.
  for (let at = 0; at < 2_250; at += 5) {
    const answer = link.ask((id) => Uint8Array.of(id >> 8, id & 255, 1))
    await answered(rig)
    await clock.advance(4_800)
    await answer
  }
  assert.ok(built.length >= 4, `${built.length}`)
  assert.deepEqual(
    routes.legs().map(({ state, streams }) => [state, streams]),
    [['active', 1]],
  )
  link.close()
  routes.close()
})

test('circuits over which exits measured end when routes rotate, and when they are asked for in another way', async () => {
  const { clock, routes, open, onMoved, wish, standing } = await serving(6, 0, 600_000)
  const measuring = (): number => standing.size - routes.legs().length
  const left: number[] = []
  onMoved.push(() => left.push(measuring()))
  wish.isNearest = true
  for (let host = 0; left.length === 0; host++) {
    assert.ok(host < 100, 'nothing rotates')
    const paths = await open(`h${host}.test`)
    await clock.advance(10_000)
    if (left.length === 0) assert.ok(measuring() > 0 && !paths.over, 'no exit is asked')
  }
  assert.deepEqual(left, [0])
  await open('last.test')
  await clock.advance(10_000)
  assert.ok(measuring() > 0)
  routes.renew()
  assert.equal(measuring(), 0)
  routes.close()
})
