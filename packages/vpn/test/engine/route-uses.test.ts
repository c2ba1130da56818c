import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import type { ClientRoutes } from '../../src/engine/client-routes.ts'
import { IsolatedRoutes, TUN_ROUTES } from '../../src/engine/isolated-routes.ts'

/** Routes that are connected, by the name under which they were made. */
function routes(): IsolatedRoutes {
  return new IsolatedRoutes(
    (name) =>
      ({
        state: 'connected',
        fault: undefined,
        streams: 0,
        bytes: { sent: 0, received: 0 },
        legs: () => [{ made: name }],
        close: () => {},
      }) as unknown as ClientRoutes,
    seededRandom(1),
  )
}

/** What is told of each, and the name that its routes were made under. */
function told(all: IsolatedRoutes): unknown[] {
  return all.others.map(({ use, number, state, legs }) => [
    use,
    number,
    state,
    (legs as unknown as { made: string }[])[0]?.made,
  ])
}

test('routes of the machine and of users and passwords are told, those by numbers that stay theirs', () => {
  const all = routes()
  all.of(undefined)
  assert.deepEqual(told(all), [])
  all.of('alice')
  assert.deepEqual(told(all), [['credentials', 1, 'connected', 'alice']])
  all.of('bob')
  all.of(TUN_ROUTES)
  const both = [
    ['tunnel', undefined, 'connected', TUN_ROUTES],
    ['credentials', 1, 'connected', 'alice'],
    ['credentials', 2, 'connected', 'bob'],
  ]
  assert.deepEqual(told(all), both)
  // Which of them was used last changes nothing.
  all.of('alice')
  assert.deepEqual(told(all), both)
  assert.doesNotMatch(JSON.stringify({ ...all.others[1], legs: [] }), /alice/)
})

test('groups of destinations are told as such, by their numbers, and by no name of one', () => {
  const all = routes()
  const host = all.toDestination('a.test') as unknown as { legs(): { made: string }[] }
  const [use] = all.others
  assert.deepEqual([use?.use, all.others.length], ['destination', 1])
  assert.deepEqual(all.useOf(host.legs()[0]?.made ?? ''), { use: 'destination', number: use?.number })
  assert.ok((use?.number ?? 0) >= 1)
})

test('routes that come again have another number', () => {
  const all = routes()
  all.of('alice')
  assert.deepEqual(told(all), [['credentials', 1, 'connected', 'alice']])
  all.close()
  assert.deepEqual(told(all), [])
  all.of('alice')
  assert.deepEqual(told(all), [['credentials', 2, 'connected', 'alice']])
})
