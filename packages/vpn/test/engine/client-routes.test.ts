import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fault, isWeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { makeMember } from '../route/make-member.ts'
import { type Network, legsOf, network } from './routes-network.ts'

for (const code of [0, 2, 11])
  test(`an exit that closes a session with code ${code} is left out, the other hops are not`, async () => {
    // Whichever is drawn first is hostile or not: of many draws both are met.
    for (let seed = 1; seed <= 10; seed++) {
      const { clock, routes, built, members } = network(seed, 3, { hostile: [0, 1], code })
      routes.keep()
      await clock.advance(5_000)
      assert.equal(built.at(-1), 2)
      assert.equal(new Set(built).size, built.length)
      assert.deepEqual(
        routes.legs().map(({ hops }) => hops[2]?.node),
        [members.at(-1)?.id],
      )
      routes.close()
    }
  })

test('when the only exit closes each session at once, attempts are ever rarer', async () => {
  const { clock, routes, built } = network(1, 1, { hostile: [0] })
  routes.keep()
  await clock.advance(30_000)
  // At once, then after 0.5, 1, 2, 4 and 8 s.
  assert.ok(built.length >= 5 && built.length <= 10, `${built.length}`)
  assert.equal(routes.state, 'blocked')
  assert.equal(routes.fault?.code, 'E_ROUTE_NONE')
  assert.match(routes.fault.cause, /closed the session/)
  routes.close()
})

test('a request whose legs end is told that no route worked, not that its target failed', async () => {
  const { clock, routes, built } = network(3, 2, { hostile: [0, 1] })
  const refused = assert.rejects(
    routes.open({ host: 'a.test', port: 80 }, new AbortController().signal, () => assert.fail('nobody opened it')),
    (error) => isWeftError(error, 'E_ROUTE_TIMEOUT'),
  )
  await clock.advance(10_000)
  await refused
  assert.ok(built.length > 1)
  routes.close()
})

test('a node that the overlay cannot reach is left at once, and alone is blamed for its leg', async () => {
  const { clock, routes, built, members, unreachable } = network(5, 2)
  routes.keep()
  await clock.advance(20)
  const [first = -1] = built
  assert.deepEqual(legsOf(routes, members), [[first, 'active']])
  const lost = members[2 + first]?.id as DidKey
  unreachable.add(lost)
  routes.onReach(new Set(unreachable))
  assert.deepEqual(legsOf(routes, members), [
    [first, 'silent'],
    [1 - first, 'building'],
  ])
  const [silent] = routes.legs()
  assert.deepEqual(
    silent?.hops.map(({ health }) => health),
    ['green', 'green', 'red'],
  )
  await clock.advance(20)
  assert.deepEqual(legsOf(routes, members)[0], [1 - first, 'active'])
  // The silent one is given up before other silent ones are, and the nodes that both have in common serve on.
  await clock.advance(2_000)
  assert.deepEqual(legsOf(routes, members), [[1 - first, 'active']])
  assert.equal(built.length, 2)
  routes.close()
})

test('a node that only the overlay cannot reach keeps its leg: the exit answers', async () => {
  const { clock, routes, members, answering, unreachable } = network(5, 1)
  answering.add(0)
  routes.keep()
  await clock.advance(20)
  unreachable.add(members[1]?.id as DidKey)
  routes.onReach(new Set(unreachable))
  assert.equal(legsOf(routes, members)[0]?.[1], 'silent')
  await clock.advance(10)
  assert.deepEqual(legsOf(routes, members)[0], [0, 'active'])
  await clock.advance(10_000)
  assert.deepEqual(legsOf(routes, members)[0], [0, 'active'])
  routes.close()
})

test('a leg that is being built over a node that is lost is given up for one over others', async () => {
  const { clock, routes, built, members, unreachable } = network(5, 2)
  routes.keep()
  const [first = -1] = built
  unreachable.add(members[2 + first]?.id as DidKey)
  routes.onReach(new Set(unreachable))
  await clock.advance(0)
  assert.deepEqual(legsOf(routes, members), [[1 - first, 'building']])
  routes.close()
})

test('unreachable nodes serve when there are no others', async () => {
  const { clock, routes, built, members, unreachable } = network(5, 2)
  for (const { id } of members) unreachable.add(id)
  routes.onReach(new Set(unreachable))
  await clock.advance(20)
  assert.equal(routes.state, 'connected')
  assert.equal(built.length, 1)
  routes.close()
})

test('a node that was lost and is back serves at once', async () => {
  const { clock, routes, built, members, unreachable } = network(5, 2)
  const id = (exit: number): DidKey => members[2 + exit]?.id as DidKey
  routes.keep()
  await clock.advance(20)
  const [first = -1] = built
  unreachable.add(id(first))
  routes.onReach(new Set(unreachable))
  await clock.advance(3_000)
  assert.deepEqual(legsOf(routes, members), [[1 - first, 'active']])
  unreachable.delete(id(first))
  unreachable.add(id(1 - first))
  routes.onReach(new Set(unreachable))
  await clock.advance(20)
  assert.deepEqual(legsOf(routes, members)[0], [first, 'active'])
  routes.close()
})

test('a request without an answer moves from a leg that falls silent to one that is built beside it', async () => {
  const { clock, routes, built, members, serving } = network(5, 2)
  // So that the second leg needs no node of the first.
  members.push(makeMember(3, ['entry']), makeMember(4, ['relay']))
  routes.keep()
  await clock.advance(20)
  const [first = -1] = built
  serving.add(1 - first)
  const taken: (DidKey | undefined)[] = []
  const opened = routes.open({ host: 'a.test', port: 80 }, new AbortController().signal, (_, paths) => {
    taken.push(paths.exit?.id)
  })
  await clock.advance(500)
  assert.deepEqual(legsOf(routes, members), [[first, 'active']])
  assert.deepEqual(taken, [])
  // Long before the silent leg is given up, or the request.
  await clock.advance(1_000)
  assert.deepEqual(legsOf(routes, members), [
    [1 - first, 'active'],
    [first, 'silent'],
  ])
  assert.deepEqual(taken, [members[3 - first]?.id])
  assert.deepEqual(
    routes.legs().map(({ streams }) => streams),
    [1, 0],
  )
  await opened
  routes.close()
})

/** What a request is refused with while no route works. */
async function refusal({ clock, routes }: Network): Promise<Fault> {
  const refused = routes
    .open({ host: 'a.test', port: 80 }, new AbortController().signal, () => assert.fail('nobody opened it'))
    .then(
      () => assert.fail('it was opened'),
      (error: unknown) => error as Fault,
    )
  await clock.advance(10_000)
  return refused
}

test('with all exits lost a request is not told that another route is taken, nor what mends the way to entries', async () => {
  const rig = network(5, 2)
  rig.lost.add(0).add(1)
  const { code, cause, fix } = await refusal(rig)
  assert.equal(code, 'E_ROUTE_TIMEOUT')
  assert.match(cause, /E_CIRCUIT_ENDED: The exit/)
  assert.doesNotMatch(fix, /another route is taken|vpn\.carriage/)
  assert.match(fix, /tried again and again/)
  assert.equal(rig.routes.fault?.fix, fix)
  rig.routes.close()
})

test('where no entry answers, state and request name what may be in the way; once one does no more', async () => {
  const rig = network(5, 1)
  rig.way.answers = false
  const { cause, fix } = await refusal(rig)
  assert.match(cause, /E_CIRCUIT_ENDED: The entry/)
  assert.match(fix, /vpn\.carriage = "auto"/)
  assert.equal(rig.routes.fault?.fix, fix)
  rig.way.answers = true
  rig.lost.add(0)
  await rig.clock.advance(20_000)
  assert.match(rig.routes.fault?.cause ?? '', /The exit/)
  assert.doesNotMatch(rig.routes.fault?.fix ?? '', /vpn\.carriage/)
  rig.routes.close()
})

test('of a leg that is being built only the hops that answered are green', async () => {
  const { clock, routes } = network(5, 1)
  routes.keep()
  const healths = (): unknown[] => routes.legs().map(({ hops }) => hops.map(({ health }) => health))
  assert.deepEqual(healths(), [['green', 'unknown', 'unknown']])
  assert.match(routes.legs()[0]?.hops[1]?.reason ?? '', /not answered/)
  await clock.advance(20)
  assert.deepEqual(healths(), [['green', 'green', 'green']])
  routes.close()
  const silent = network(5, 1)
  silent.way.answers = false
  silent.routes.keep()
  assert.deepEqual(
    silent.routes.legs().map(({ hops }) => hops.map(({ health }) => health)),
    [['unknown', 'unknown', 'unknown']],
  )
  silent.routes.close()
})
