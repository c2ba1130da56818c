import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import type { ClientRoutes } from '../../src/engine/client-routes.ts'
import { IsolatedRoutes, TUN_ROUTES } from '../../src/engine/isolated-routes.ts'

/** Routes of users that have as many streams as the test says; `ended` has the names of those that were ended. */
function rig() {
  const streams = new Map<string, number>()
  const ended: string[] = []
  const routes = new IsolatedRoutes(
    (name) =>
      ({
        get streams() {
          return streams.get(name) ?? 0
        },
        bytes: { sent: 1, received: 2 },
        legs: () => [],
        keep: () => {},
        close: () => void ended.push(name),
      }) as unknown as ClientRoutes,
    seededRandom(1),
  )
  const users = Array.from({ length: 16 }, (_, at) => `user${at}`)
  for (const user of users) routes.of(user)
  return { routes, users, streams, ended }
}

test('a seventeenth user takes the place of one without connections, of the one that was used longest ago', () => {
  const { routes, streams, ended } = rig()
  streams.set('user0', 1)
  routes.of('user1')
  routes.of('new')
  assert.deepEqual(ended, ['user2'])
  assert.deepEqual(routes.bytes, { sent: 17, received: 34 })
})

test('routes that carry connections are never ended for another user, who is refused until there is room', () => {
  const { routes, users, streams, ended } = rig()
  for (const user of users) streams.set(user, 1)
  for (let at = 0; at < 100; at++) assert.throws(() => routes.of(`new${at}`), { code: 'E_PROXY_FULL' })
  assert.deepEqual(ended, [])
  // Those that are there, and all without credentials, are served.
  for (const user of [...users, undefined, TUN_ROUTES]) routes.of(user)
  streams.set('user7', 0)
  routes.of('new')
  assert.deepEqual(ended, ['user7'])
})

test('destinations go over eight groups of routes, each always over the same, and take no place of users and passwords', () => {
  const { routes, ended } = rig()
  const group = new Map<string, unknown>()
  for (let at = 0; at < 400; at++) group.set(`host${at}.test`, routes.toDestination(`host${at}.test`))
  assert.equal(new Set(group.values()).size, 8)
  for (const [host, made] of group) assert.equal(routes.toDestination(host.toUpperCase()), made)
  const sizes = [...Map.groupBy(group.values(), (made) => made).values()].map(({ length }) => length)
  assert.ok(Math.min(...sizes) > 20, sizes.join())
  assert.deepEqual(ended, [])
})

test('groups that are wanted no longer end, those with connections with their last one, unless they are wanted again', () => {
  const { routes, streams, ended } = rig()
  for (let at = 0; at < 100; at++) routes.toDestination(`host${at}.test`)
  const busy = ['-to3', '-to5']
  for (const name of busy) streams.set(name, 1)
  routes.isolate('destination')
  routes.keep()
  assert.deepEqual(ended, [])
  routes.isolate('credentials')
  assert.deepEqual(new Set(ended), new Set(['-to0', '-to1', '-to2', '-to4', '-to6', '-to7']))
  routes.keep()
  assert.equal(ended.length, 6)
  assert.deepEqual(
    routes.others.filter(({ use }) => use === 'destination').map(({ number }) => number),
    [4, 6],
  )
  streams.set('-to3', 0)
  routes.keep()
  assert.equal(ended.at(-1), '-to3')
  routes.isolate('destination')
  streams.set('-to5', 0)
  routes.keep()
  assert.equal(ended.length, 7)
})

test('where nothing is kept apart the routes of users and passwords end as well, and never those of all others', () => {
  const { routes, users, streams, ended } = rig()
  for (const name of [undefined, TUN_ROUTES]) routes.of(name)
  routes.toDestination('a.test')
  streams.set('user7', 1)
  routes.isolate('none')
  assert.deepEqual(new Set(ended), new Set([...users.filter((user) => user !== 'user7'), ended.at(-1)]))
  assert.match(ended.at(-1) ?? '', /^-to/)
  assert.notEqual(routes.default, undefined)
  assert.deepEqual(
    routes.others.map(({ use }) => use),
    ['tunnel', 'credentials'],
  )
})

test('what happens to a group of destinations is told as that, and numbers of users and passwords are theirs alone', () => {
  const made: string[] = []
  const named = new IsolatedRoutes((name) => {
    made.push(name)
    return { streams: 0, bytes: { sent: 0, received: 0 }, close: () => {} } as unknown as ClientRoutes
  }, seededRandom(1))
  for (let at = 0; at < 100; at++) named.toDestination(`host${at}.test`)
  assert.equal(made.length, 8)
  const told = made.map((name) => named.useOf(name))
  assert.deepEqual(new Set(told.map(({ use }) => use)), new Set(['destination']))
  assert.deepEqual(new Set(told.map(({ number }) => number)), new Set([1, 2, 3, 4, 5, 6, 7, 8]))
  named.of('alice')
  assert.deepEqual(named.useOf('alice'), { use: 'credentials', number: 1 })
})
