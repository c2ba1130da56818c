import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fault, VirtualClock, isWeftError, seededRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import {
  CircuitReason,
  type CircuitLink,
  type ClientCircuit,
  type ClientCircuitOptions,
  ClientCircuits,
  Session,
  SessionCode,
  Suite,
} from '@weft/onion'
import { ClientRoutes } from '../../src/engine/client-routes.ts'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import { DEFAULT_ROUTE_PROFILE } from '../../src/profile/route-profile.ts'
import { ClientChoice } from '../../src/route/client-choice.ts'
import type { PathSet } from '../../src/engine/path-set.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { LOW_ORDER_KEY, makeMember } from '../route/make-member.ts'

const PAYLOAD = 1329

/**
 * Circuits that are ready after 10 ms, unless the entry's onion key is none; the exits named close each session with a
 * code as soon as they hear of it.
 */
function network(
  seed: number,
  exits: number,
  hostile: readonly number[] = [],
  code = 0,
  spares = 0,
  rotationMs?: number,
) {
  const clock = new VirtualClock()
  const random = seededRandom(seed)
  const members = [makeMember(1, ['entry']), makeMember(2, ['relay'])]
  for (let index = 0; index < exits; index++) members.push(makeMember(10 + index, ['exit']))
  const built: number[] = []
  /** Entries of all circuits that were asked for, those that could not be begun included. */
  const entries: (Uint8Array | undefined)[] = []
  /** Exits that answer pings; and that take streams. */
  const answering = new Set<number>()
  const serving = new Set<number>()
  /** ms that each link of a route to an exit takes, there and back. */
  const pongMs = new Map<number, number>()
  /** What exits answer instead of taking a stream, by exit; and how often each was asked. */
  const refusals = new Map<number, number>()
  const asked: number[] = []
  /** Onion keys under which entries take no handshake. */
  const refusing = new Set<Uint8Array>()
  const unreachable = new Set<DidKey>()
  const unlikely = new Set<DidKey>()
  /** Exits that never answer while a circuit is built; and whether the entry does. */
  const lost = new Set<number>()
  const way = { answers: true }
  // The handshake with an entry begins as it does in earnest; what comes of it is told below.
  const begun = new ClientCircuits({ networkId: 'test', clock, random: seededRandom(seed) })
  const circuits = {
    build: (options: ClientCircuitOptions): ClientCircuit => {
      entries.push(options.hops[0]?.id)
      const real = begun.build(options)
      if (real.state === 'closed') return real
      real.destroy()
      const exit = members.findIndex(({ key }) => key === options.hops.at(-1)?.id) - 2
      built.push(exit)
      const session = new Session({
        role: 'exit',
        clock,
        random,
        payloadLength: PAYLOAD,
        onStream: (stream) => {
          asked.push(exit)
          const refusal = refusals.get(exit)
          if (refusal === undefined) stream.accept('192.0.2.1')
          else stream.refuse(refusal)
        },
      })
      let over = false
      const talk = (): void => {
        while (session.next() !== undefined) {
          if (over) return
          const payload = new Uint8Array(PAYLOAD)
          options.onPacket?.(session.fill(payload), payload)
        }
      }
      clock.after(10, () => {
        if (over) return
        const [entry] = options.hops
        if (!way.answers || lost.has(exit)) {
          options.onEnd?.(CircuitReason.nextHopNotReached, way.answers ? 2 : 0)
          return
        }
        if (entry !== undefined && refusing.has(entry.onionKey)) {
          options.onEnd?.(CircuitReason.handshakeRefused, 0)
          return
        }
        options.onReady?.()
        if (!hostile.includes(exit)) return
        session.close(code, '')
        talk()
      })
      return {
        payloadLength: PAYLOAD,
        rttMs: [],
        suites: way.answers ? [Suite.aes256Gcm] : [],
        cells: 0,
        count: () => {},
        ping: (hop: number) => {
          clock.after(5, () => {
            if (!over && answering.has(exit)) options.onPong?.(hop, (hop + 1) * (pongMs.get(exit) ?? 5))
          })
        },
        seal: (fill: (payload: Uint8Array) => number) => {
          const payload = new Uint8Array(PAYLOAD)
          const packetNumber = fill(payload)
          if (!serving.has(exit)) return true
          session.receive(packetNumber, payload)
          clock.after(5, talk)
          return true
        },
        destroy: () => (over = true),
      } as unknown as ClientCircuit
    },
  } as unknown as ClientCircuits
  const choice = new ClientChoice({
    self: makeMember(99, []).id,
    clock,
    random,
    guards: undefined,
    profile: DEFAULT_ROUTE_PROFILE,
    unlikely: () => unlikely,
    keepGuards: () => {},
  })
  const routes = new ClientRoutes({
    circuits,
    queue: new FlushQueue(() => {}),
    clock,
    random,
    choice,
    unreachable: new Set(),
    linkTo: () =>
      ({
        newCircuitId: () => built.length + 1,
        sendMessage: () => true,
        sendCell: () => true,
      }) as unknown as CircuitLink,
    way: () => ({ setting: 'udp', byBridges: false, bridgeFault: undefined }),
    ...(rotationMs === undefined ? {} : { rotationMs: () => rotationMs }),
    spares,
    onChange: () => {},
  })
  const keep = routes.keep.bind(routes)
  routes.keep = () => {
    choice.setMembers(members)
    keep()
  }
  return {
    clock,
    routes,
    built,
    entries,
    members,
    answering,
    serving,
    pongMs,
    refusing,
    unreachable,
    unlikely,
    refusals,
    asked,
    lost,
    way,
  }
}

for (const code of [0, 2, 11])
  test(`an exit that closes a session with code ${code} is left out, the other hops are not`, async () => {
    // Whichever is drawn first is hostile or not: of many draws both are met.
    for (let seed = 1; seed <= 10; seed++) {
      const { clock, routes, built, members } = network(seed, 3, [0, 1], code)
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
  const { clock, routes, built } = network(1, 1, [0], 0)
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
  const { clock, routes, built } = network(3, 2, [0, 1], 0)
  const refused = assert.rejects(
    routes.open({ host: 'a.test', port: 80 }, new AbortController().signal, () => assert.fail('nobody opened it')),
    (error) => isWeftError(error, 'E_ROUTE_TIMEOUT'),
  )
  await clock.advance(10_000)
  await refused
  assert.ok(built.length > 1)
  routes.close()
})

/** The number of the exit that each leg leads to, and how the leg stands. */
const legsOf = (routes: ClientRoutes, members: readonly RouteMember[]): [number, string][] =>
  routes.legs().map(({ hops, state }) => [members.findIndex(({ id }) => id === hops[2]?.node) - 2, state])

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

/** Lets a request and its answer go their ways, over two exits as well. */
async function answered({ clock }: ReturnType<typeof network>): Promise<void> {
  for (let part = 0; part < 20; part++) await clock.advance(10)
}

/** Two routes that share no node, to exits that both take streams. */
async function twoRoutes() {
  const rig = network(5, 2, [], 0, 1)
  rig.members.push(makeMember(3, ['entry']), makeMember(4, ['relay']))
  for (const exit of [0, 1]) {
    rig.serving.add(exit)
    rig.answering.add(exit)
  }
  rig.routes.keep()
  await rig.clock.advance(100)
  const [first = -1, second = -1] = rig.built
  assert.deepEqual(legsOf(rig.routes, rig.members), [
    [first, 'active'],
    [second, 'spare'],
  ])
  let taken: DidKey | undefined
  const open = async (): Promise<void> => {
    const opened = rig.routes.open({ host: 'a.test', port: 80 }, new AbortController().signal, (_, paths) => {
      taken = paths.exit?.id
    })
    opened.catch(() => {})
    await answered(rig)
    return opened
  }
  return { ...rig, first, second, open, taken: () => taken }
}

test('a request that its exit refuses as it is at its limit goes to another, and the route stays as it is for others', async () => {
  const { routes, members, built, first, second, refusals, asked, open, taken } = await twoRoutes()
  refusals.set(first, SessionCode.limit)
  await open()
  assert.equal(taken(), members[2 + second]?.id)
  assert.deepEqual(asked, [first, second])
  assert.deepEqual(legsOf(routes, members), [
    [first, 'active'],
    [second, 'spare'],
  ])
  assert.equal(built.length, 2)
  routes.close()
})

test('when both exits are at their limit a request fails with that, and each was asked once', async () => {
  const { routes, built, first, second, refusals, asked, open } = await twoRoutes()
  refusals.set(first, SessionCode.limit).set(second, SessionCode.limit)
  await assert.rejects(open(), (error) => isWeftError(error, 'E_EXIT_FULL'))
  assert.deepEqual(asked, [first, second])
  assert.equal(built.length, 2)
  // Nor is a third looked for when the second has another reason.
  refusals.set(second, SessionCode.notOffered)
  await assert.rejects(open(), (error) => isWeftError(error, 'E_EXIT_FULL'))
  assert.deepEqual(asked, [first, second, first, second])
  routes.close()
})

test('what the other exit says of the target is the answer', async () => {
  const { routes, first, second, refusals, open } = await twoRoutes()
  refusals.set(first, SessionCode.limit).set(second, SessionCode.connectionRefused)
  await assert.rejects(open(), (error) => isWeftError(error, 'E_TARGET_REFUSED'))
  routes.close()
})

test('without a route to another exit a request that is refused for want of room fails at once', async () => {
  const rig = network(5, 2)
  const { clock, routes, built, serving, refusals } = rig
  serving.add(0).add(1)
  refusals.set(0, SessionCode.limit).set(1, SessionCode.limit)
  routes.keep()
  await clock.advance(20)
  const opened = assert.rejects(
    routes.open({ host: 'a.test', port: 80 }, new AbortController().signal, () => assert.fail()),
    (error) => isWeftError(error, 'E_EXIT_FULL'),
  )
  await answered(rig)
  await opened
  assert.equal(built.length, 1)
  routes.close()
})

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
  const { clock, routes, members, answering, serving } = network(5, 2, [], 0)
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
async function entryOf({ clock, routes }: ReturnType<typeof network>): Promise<DidKey | undefined> {
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

/** What a request is refused with while no route works. */
async function refusal({ clock, routes }: ReturnType<typeof network>): Promise<Fault> {
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

test('after some time new streams take another path set, and those that run stay where they are', async () => {
  const rig = network(5, 4, [], 0, 0, 600_000)
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
  const { clock, routes, built, answering, serving } = network(5, 4, [], 0, 0, 600_000)
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
  const { clock, routes, members, built, answering, serving, pongMs } = network(5, 3, [], 0, 1)
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
    const { clock, routes, answering, serving, way: entry } = network(5, 4, [], 0, spares, 600_000)
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
