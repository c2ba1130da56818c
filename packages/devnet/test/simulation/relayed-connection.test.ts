import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, seededRandom } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import { RELAYED_BYTES, RELAYED_MS } from '@weft/overlay'
import type { Connection } from '../../src/simulation/connection.ts'
import { INTERNET } from '../../src/simulation/link-profile.ts'
import { promiseSettler } from '../../src/simulation/promise-settler.ts'
import { SimulatedEndpoint } from '../../src/simulation/simulated-endpoint.ts'
import { SimulatedInternet } from '../../src/simulation/simulated-internet.ts'
import type { NatKind } from '../../src/simulation/simulated-nat.ts'
import { SimulatedProcess } from '../../src/simulation/simulated-process.ts'
import { SimulatedRelay } from '../../src/simulation/simulated-relay.ts'
import { Trace } from '../../src/simulation/trace.ts'

/** A relay that anybody can reach, and machines behind routers. */
class World {
  readonly time = new VirtualClock(0, promiseSettler())
  readonly random = seededRandom(1)
  readonly internet = new SimulatedInternet({
    time: this.time,
    profile: INTERNET,
    random: this.random,
    trace: new Trace(),
  })
  readonly members = new Set<DidKey>()
  readonly relay = this.endpoint('10.0.0.1', undefined, 4_780)

  constructor() {
    new SimulatedRelay(this.relay, { allows: (id) => this.members.has(id) })
  }

  endpoint(address: string, nat?: NatKind, listen?: number): SimulatedEndpoint {
    const site = { region: 'europe', address, ...(nat === undefined ? {} : { nat }) }
    this.internet.addMachine(site)
    const process = new SimulatedProcess(address, site, this.time)
    const { id } = new SigningKey(this.random.bytes(32))
    const endpoint = new SimulatedEndpoint({ id, networkId: 'test', process, port: 20_000 })
    this.internet.attach(endpoint, listen === undefined ? undefined : `/ip4/${address}/tcp/${listen}`)
    return endpoint
  }

  /** Lets time pass until the promise settles. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    const call = { settled: false }
    const end = (): void => void (call.settled = true)
    promise.then(end, end)
    for (let times = 0; !call.settled && times < 10_000; times++) await this.time.advance(10)
    assert.ok(call.settled, 'it settles')
    return promise
  }

  toRelay(from: SimulatedEndpoint): Promise<Connection> {
    return this.settle(this.internet.dial(from, '/ip4/10.0.0.1/tcp/4780', this.relay.id, undefined))
  }

  async reserve(from: SimulatedEndpoint): Promise<void> {
    await this.settle(SimulatedRelay.reserve(from, await this.toRelay(from)))
  }

  async relayed(from: SimulatedEndpoint, to: SimulatedEndpoint): Promise<Connection> {
    await this.reserve(to)
    return this.settle(SimulatedRelay.connect(from, await this.toRelay(from), to.id))
  }

  /** One side calls the port of the other. */
  knock(from: SimulatedEndpoint, to: SimulatedEndpoint, dialler: boolean): Promise<Connection> {
    const port = { host: to.process.site.address, port: to.port }
    return this.internet.knock(from, { id: to.id, to: port, dialler }, new AbortController().signal)
  }

  /** Whether both call each other's port and have a direct connection then. */
  async punches(a: SimulatedEndpoint, b: SimulatedEndpoint): Promise<boolean> {
    const [first, second] = await this.settle(Promise.allSettled([this.knock(a, b, true), this.knock(b, a, false)]))
    assert.equal(first.status, second.status)
    if (first.status === 'rejected') return false
    assert.ok(first.value.isDialler(a) && !first.value.relayed)
    return true
  }
}

test('what is sent over a relay arrives in order, and later than any one way takes', async () => {
  const world = new World()
  const [a, b] = [world.endpoint('10.0.1.1', 'symmetric'), world.endpoint('10.0.2.1', 'restricted')]
  const connection = await world.relayed(a, b)
  assert.ok(connection.relayed && a.connection(b.id) === connection && b.connection(a.id) === connection)
  assert.equal(connection.addressOf(a), '/ip4/10.0.0.1/tcp/4780/p2p-circuit')
  const arrived: number[] = []
  const start = world.time.monotonic()
  for (let at = 0; at < 50; at++) connection.send(a, 100, () => void arrived.push(at))
  await world.time.advance(15)
  assert.deepEqual(arrived, [], 'two ways of at least 8 ms each')
  await world.time.advance(2_000)
  assert.deepEqual(
    arrived,
    Array.from({ length: 50 }, (_, at) => at),
  )
  assert.ok(world.time.monotonic() > start)
})

test('a relay ends a connection after its bytes and after its time, and both sides see it', async () => {
  const world = new World()
  const [a, b] = [world.endpoint('10.0.1.1'), world.endpoint('10.0.2.1', 'restricted')]
  const long = await world.relayed(a, b)
  long.send(a, RELAYED_BYTES, () => {})
  await world.time.advance(60_000)
  assert.ok(long.isOpen(a) && long.isOpen(b))
  long.send(b, 1, () => assert.fail('one byte too many'))
  await world.time.advance(2_000)
  assert.ok(!long.isOpen(a) && !long.isOpen(b))

  const old = await world.settle(SimulatedRelay.connect(a, await world.toRelay(a), b.id))
  await world.time.advance(RELAYED_MS - 10_000)
  assert.ok(old.isOpen(a) && old.isOpen(b))
  await world.time.advance(12_000)
  assert.ok(!old.isOpen(a) && !old.isOpen(b))
})

test('a relayed connection ends with either side, with the connection to the relay, and with the relay', async () => {
  const ends: Record<
    string,
    (world: World, connection: Connection, a: SimulatedEndpoint, b: SimulatedEndpoint) => void
  > = {
    'a side closes it': (_, connection, a) => connection.close(a),
    'the other side closes it': (_, connection, __, b) => connection.close(b),
    'a process ends': (world, _, __, b) => world.internet.end(b.process, 'ended'),
    'the relay ends': (world) => world.internet.end(world.relay.process, 'ended'),
    'the relay is gone': (world) => world.internet.end(world.relay.process, 'gone'),
    'a side leaves the relay': (world, _, a) => a.connection(world.relay.id)?.close(a),
  }
  for (const [how, end] of Object.entries(ends)) {
    const world = new World()
    const [a, b] = [world.endpoint('10.0.1.1', 'restricted'), world.endpoint('10.0.2.1', 'restricted')]
    const connection = await world.relayed(a, b)
    end(world, connection, a, b)
    await world.time.advance(60_000)
    assert.ok(!connection.isOpen(a) && (!connection.isOpen(b) || b.process.over), how)
    assert.equal(a.connection(b.id), undefined, how)
  }
})

test('a node that has no place is not reached; strangers of one address have four places, a member has its own', async () => {
  const world = new World()
  const a = world.endpoint('10.0.1.1')
  const unplaced = world.endpoint('10.0.2.1', 'restricted')
  await world.toRelay(unplaced)
  const connect = SimulatedRelay.connect(a, await world.toRelay(a), unplaced.id)
  await assert.rejects(world.settle(connect), { code: 'E_RELAY_REFUSED' })

  const neighbours = Array.from({ length: 6 }, () => world.endpoint('10.0.3.1', 'restricted'))
  const [member] = neighbours.splice(-1) as [SimulatedEndpoint]
  world.members.add(member.id)
  const outcomes: string[] = []
  for (const each of [...neighbours, member]) {
    const outcome = world.reserve(each).then(
      () => 'placed',
      ({ code }: { readonly code: string }) => code,
    )
    outcomes.push(await outcome)
  }
  assert.deepEqual(outcomes, ['placed', 'placed', 'placed', 'placed', 'E_RELAY_REFUSED', 'placed'])
})

test('holes: two that show the same port to all meet, and whoever shows another to each meets nobody', async () => {
  const kinds = [undefined, 'restricted', 'symmetric'] as const
  const expected = ['outside outside', 'outside restricted', 'restricted outside', 'restricted restricted']
  const met: string[] = []
  for (const first of kinds)
    for (const second of kinds) {
      const world = new World()
      const [a, b] = [world.endpoint('10.0.1.1', first), world.endpoint('10.0.2.1', second)]
      if (await world.punches(a, b)) met.push(`${first ?? 'outside'} ${second ?? 'outside'}`)
    }
  assert.deepEqual(met, expected)
})

test('a call that comes first is refused by a machine, and by a router let go of: then it comes again', async () => {
  const outcome = async (nat?: NatKind): Promise<string> => {
    const world = new World()
    const [a, b] = [world.endpoint('10.0.1.1', 'restricted'), world.endpoint('10.0.2.1', nat)]
    const early = world.knock(a, b, true).then(
      () => 'met',
      ({ cause }: { readonly cause: string }) => cause.replace(/.*\((.*)\)\.$/, '$1'),
    )
    await world.time.advance(500)
    world.knock(b, a, false).catch(() => {})
    return world.settle(early)
  }
  assert.deepEqual([await outcome('restricted'), await outcome()], ['met', 'ECONNREFUSED'])
})
