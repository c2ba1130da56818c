import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, WeftError, seededRandom, silentLogger } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import type { Member, Role } from '../../src/member.ts'
import { formatRelayedAddress } from '../../src/network/relayed-address.ts'
import type { Reach } from '../../src/reach/reach.ts'
import { RELAYS_KEPT, ReachKeeper, type ReachKeeperInit } from '../../src/reach/reach-keeper.ts'
import { advance } from '../fixtures.ts'

const { id: self } = SigningKey.generate()
const HOST = '203.0.113.9'

function relay(index: number): Member {
  const { id } = SigningKey.generate()
  return {
    id,
    roles: ['relay'],
    addresses: [`/ip4/5.${index}.0.1/tcp/1`],
    family: `family-${index}`,
  } as unknown as Member
}

/** A node behind a router, and what the others do for it. */
function setUp(
  options: {
    readonly roles?: readonly Role[]
    readonly relays?: number
    readonly listen?: ReachKeeperInit['listen']
    readonly packetsPort?: number
  } = {},
) {
  const clock = new VirtualClock()
  const relays = Array.from({ length: options.relays ?? 4 }, (_, index) => relay(index + 1))
  const world = {
    seenAt: HOST as string | undefined,
    /** What each node that is asked answers. */
    answer: (_by: DidKey): { reached: boolean; host: string } | Error => ({ reached: false, host: HOST }),
    refusing: new Set<DidKey>(),
    asked: [] as DidKey[],
    reserved: [] as DidKey[],
  }
  const lost: ((relay: DidKey) => void)[] = []
  const seen: (() => void)[] = []
  const changed: (() => void)[] = []
  const told: Reach[] = []
  const call = async (to: DidKey) => {
    world.asked.push(to)
    const answer = world.answer(to)
    if (answer instanceof Error) throw answer
    return answer
  }
  const keeper = new ReachKeeper({
    self,
    roles: options.roles ?? ['storage'],
    listen: options.listen ?? [{ host: '0.0.0.0', port: 4780 }],
    packetsPort: options.packetsPort,
    transport: {
      seenAt: () => world.seenAt,
      onSeen: (listener) => void seen.push(listener),
      onRelayLost: (listener) => void lost.push(listener),
      reserve: async (id) => {
        if (world.refusing.has(id)) throw new WeftError({ code: 'E_RELAY_REFUSED', cause: 'full', fix: 'none' })
        world.reserved.push(id)
      },
      call: call as unknown as ReachKeeperInit['transport']['call'],
    },
    members: () => relays,
    onMembers: (listener) => {
      changed.push(listener)
      return () => {}
    },
    validators: () => [],
    clock,
    random: seededRandom(5),
    logger: silentLogger,
    onReach: (reach) => void told.push(reach),
  })
  const stop = new AbortController()
  // Later in this turn, so that a test says first how the world is.
  const running = Promise.resolve().then(() => keeper.run(stop.signal))
  return {
    clock,
    keeper,
    relays,
    world,
    told,
    lose: (id: DidKey) => lost.forEach((listener) => listener(id)),
    change: () => changed.forEach((listener) => listener()),
    see: () => seen.forEach((listener) => listener()),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await assert.rejects(running, { code: 'E_ABORTED' })
    },
  }
}

test('a port that others find open is where the node is', async () => {
  await using set = setUp()
  set.world.answer = () => ({ reached: true, host: HOST })
  await advance(set.clock, 1)
  assert.deepEqual(set.keeper.reach, { state: 'direct', addresses: [`/ip4/${HOST}/tcp/4780`] })
  assert.equal(set.world.asked.length, 3)
  assert.deepEqual(set.world.reserved, [])
})

test('a round in which nobody found it changes nothing; three in a row do', async () => {
  await using set = setUp()
  set.world.answer = () => ({ reached: true, host: HOST })
  await advance(set.clock, 1)
  assert.equal(set.keeper.reach.state, 'direct')
  const closed = (): { reached: boolean; host: string } => ({ reached: false, host: HOST })
  set.world.answer = () => (set.world.asked.length > 8 ? { reached: true, host: HOST } : closed())
  await advance(set.clock, 2_000_000)
  assert.deepEqual(
    set.told.map(({ state }) => state),
    ['direct'],
  )
  set.world.answer = closed
  await advance(set.clock, 2_000_000)
  assert.deepEqual(
    set.told.map(({ state }) => state),
    ['direct', 'relayed'],
  )
})

test('one liar of three neither opens a port nor closes it', async () => {
  for (const honest of [true, false]) {
    await using set = setUp({ relays: 3 })
    const liar = set.relays[0]!.id
    set.world.answer = (by) => ({ reached: by === liar ? !honest : honest, host: HOST })
    await advance(set.clock, 1)
    assert.equal(set.keeper.reach.state, honest ? 'direct' : 'relayed')
  }
})

test('where nobody finds it the node takes places at relays of different families, and says why', async () => {
  await using set = setUp()
  await advance(set.clock, 1)
  const { reach } = set.keeper
  assert.ok(reach.state === 'relayed')
  assert.equal(reach.through.length, RELAYS_KEPT)
  assert.deepEqual(reach.addresses, reach.through.map(formatRelayedAddress))
  assert.equal(reach.fault.code, 'E_REACH_RELAYED')
  assert.match(reach.fault.cause, /TCP port 4780 .* at 203\.0\.113\.9/)
  assert.match(reach.fault.fix, /Forward TCP port 4780/)
})

test('a lost place is asked for again at once; a relay that refuses is replaced', async () => {
  await using set = setUp()
  await advance(set.clock, 1)
  assert.ok(set.keeper.reach.state === 'relayed')
  const [first, second] = set.keeper.reach.through as [DidKey, DidKey]
  set.lose(first)
  await advance(set.clock, 1)
  assert.deepEqual([...set.keeper.reach.through].sort(), [first, second].sort())
  set.world.refusing.add(first)
  set.lose(first)
  await advance(set.clock, 1)
  assert.ok(set.keeper.reach.state === 'relayed')
  assert.equal(set.keeper.reach.through.length, RELAYS_KEPT)
  assert.ok(!set.keeper.reach.through.includes(first))
})

test('a relay that is no member any more is replaced at once, and a map that keeps the relays asks nobody', async () => {
  await using set = setUp()
  await advance(set.clock, 1)
  assert.ok(set.keeper.reach.state === 'relayed')
  const [ejected, kept] = set.keeper.reach.through as [DidKey, DidKey]
  const asked = set.world.asked.length
  set.change()
  await advance(set.clock, 1)
  assert.equal(set.world.asked.length, asked)
  set.relays.splice(
    set.relays.findIndex(({ id }) => id === ejected),
    1,
  )
  set.change()
  await advance(set.clock, 1)
  assert.ok(set.keeper.reach.state === 'relayed')
  assert.equal(set.keeper.reach.through.length, RELAYS_KEPT)
  assert.ok(set.keeper.reach.through.includes(kept))
  assert.ok(!set.keeper.reach.through.includes(ejected))
})

test('roles that must be public get no relay, and the operator reads what to open', async () => {
  await using set = setUp({ roles: ['storage', 'entry'] })
  await advance(set.clock, 1)
  const { reach } = set.keeper
  assert.ok(reach.state === 'unreachable')
  assert.equal(reach.fault.code, 'E_REACH_NOT_PUBLIC')
  assert.match(reach.fault.fix, /take entry out of the roles/)
  assert.deepEqual(set.world.reserved, [])
  // The operator opens it: found at the next try.
  set.world.answer = () => ({ reached: true, host: HOST })
  await advance(set.clock, 20_000)
  assert.equal(set.keeper.reach.state, 'direct')
})

test('every port that has to be opened is named', async () => {
  const listen = [
    { host: '0.0.0.0', port: 4780 },
    { host: '0.0.0.0', port: 4781, websocket: true },
  ]
  await using set = setUp({ roles: ['entry'], listen, packetsPort: 4782 })
  await advance(set.clock, 1)
  assert.ok(set.keeper.reach.state === 'unreachable')
  assert.match(set.keeper.reach.fault.fix, /Forward TCP ports 4780 and 4781 and 4782 and UDP port 4782 of the router/)
})

test('without a relay the node says so and asks again', async () => {
  await using set = setUp()
  for (const { id } of set.relays) set.world.refusing.add(id)
  await advance(set.clock, 1)
  assert.ok(set.keeper.reach.state === 'unreachable')
  assert.equal(set.keeper.reach.fault.code, 'E_REACH_NO_RELAY')
  set.world.refusing.clear()
  await advance(set.clock, 20_000)
  assert.equal(set.keeper.reach.state, 'relayed')
})

test('it waits until somebody has seen it, and until somebody answers; nothing is told twice', async () => {
  await using set = setUp()
  set.world.seenAt = undefined
  await advance(set.clock, 1)
  assert.deepEqual([set.keeper.reach.state, set.world.asked.length], ['asking', 0])
  set.world.seenAt = HOST
  set.world.answer = () => new Error('no answer')
  set.see()
  await advance(set.clock, 1)
  assert.equal(set.keeper.reach.state, 'asking')
  assert.ok(set.world.asked.length > 0)
  set.world.answer = () => ({ reached: false, host: HOST })
  await advance(set.clock, 2_000_000)
  assert.deepEqual(
    set.told.map(({ state }) => state),
    ['relayed'],
  )
})

test('who saw the node elsewhere has no say about here', async () => {
  await using set = setUp({ relays: 3 })
  const [odd] = set.relays
  set.world.answer = (by) => (by === odd?.id ? { reached: true, host: '198.51.100.1' } : { reached: false, host: HOST })
  await advance(set.clock, 1)
  assert.equal(set.keeper.reach.state, 'relayed')
})

test('a node that others see at another address looks again, and not at each change of their word', async () => {
  await using set = setUp()
  set.world.answer = () => ({ reached: true, host: set.world.seenAt! })
  await advance(set.clock, 1)
  await advance(set.clock, 20_000)
  const asked = set.world.asked.length
  set.see()
  await advance(set.clock, 20_000)
  assert.equal(set.world.asked.length, asked, 'it was seen where it is')
  set.world.seenAt = '203.0.113.10'
  set.see()
  await advance(set.clock, 1)
  assert.deepEqual(set.keeper.reach, { state: 'direct', addresses: ['/ip4/203.0.113.10/tcp/4780'] })
  for (let change = 0; change < 100; change++) {
    set.world.seenAt = `203.0.113.${20 + (change % 2)}`
    set.see()
    await advance(set.clock, 100)
  }
  assert.equal(set.world.asked.length, asked + 3)
  await advance(set.clock, 15_000)
  assert.equal(set.world.asked.length, asked + 6)
  assert.deepEqual(set.keeper.reach, { state: 'direct', addresses: ['/ip4/203.0.113.21/tcp/4780'] })
})
