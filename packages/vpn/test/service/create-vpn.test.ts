import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import {
  type Fault,
  type Logger,
  Scope,
  VirtualClock,
  WeftError,
  isWeftError,
  silentLogger,
  systemRandom,
} from '@weft/core'
import { toDidKey, x25519KeyPair } from '@weft/crypto'
import type { Loads, Overlay } from '@weft/overlay'
import { type VpnInit, type VpnService, createVpn } from '../../src/service/create-vpn.ts'
import type { PacketThreadEvents } from '../../src/service/packet-thread.ts'
import { PacketThreads } from '../../src/service/packet-threads.ts'
import type { KillSwitchStatus } from '../../src/kill-switch/kill-switch.ts'
import { freePort } from './free-port.ts'
import { until } from './until.ts'
import type { PacketCommand } from '../../src/service/packet-messages.ts'
import { NO_TUN } from '../engine/no-tun.ts'

interface Network {
  readonly clock: VirtualClock
  /** Every packet thread that was started, the latest last. */
  readonly workers: readonly Worker[]
  /** ms that were waited before each start of another thread. */
  readonly waits: readonly number[]
  readonly proxy: number
  readonly create: (ip?: boolean, killSwitch?: VpnInit['killSwitch']) => Promise<VpnService>
}

/** A node that carries packets for others, so that its thread runs and holds its UDP port from the start. */
async function network(t: TestContext): Promise<Network> {
  const clock = new VirtualClock()
  const workers: Worker[] = []
  const waits: number[] = []
  const onWorker = (worker: Worker): void => void workers.push(worker)
  process.on('worker', onWorker)
  const scope = new Scope({ name: 'test' })
  t.after(async () => {
    process.off('worker', onWorker)
    // Those that do not answer are ended when their time is over.
    const closed = scope.close()
    await clock.advance(5_000)
    await closed
  })
  const logger: Logger = { ...silentLogger, error: (_, fields) => void waits.push(Number(fields?.['afterMs'])) }
  const udp = { host: '127.0.0.1', port: await freePort() }
  const proxy = { host: '127.0.0.1', port: await freePort(udp.port) }
  return {
    clock,
    workers,
    waits,
    proxy: proxy.port,
    create: (ip = false, killSwitch) =>
      createVpn({
        networkId: 'test',
        nodeKey: new Uint8Array(32).fill(7),
        roles: { entry: true, relay: true, exit: false },
        suite: 'auto',
        carriage: 'auto',
        keys: { link: x25519KeyPair(systemRandom.bytes(32)), onion: [x25519KeyPair(systemRandom.bytes(32))] },
        workers: 1,
        udp,
        proxy,
        dns: undefined,
        tun: NO_TUN,
        bootstrap: [],
        relay: { bytesPerSecond: undefined },
        exit: { allow: [], deny: [], own: [], nameServers: [], ip },
        ...(killSwitch && { killSwitch }),
        clock,
        logger,
        scope,
      }),
  }
}

test('a packet thread that ends is started again', async (t) => {
  const { clock, workers, waits, create } = await network(t)
  const service = await create()
  assert.equal((await service.status()).carried?.links, 0)
  await workers[0]?.terminate()
  await until(() => service.fault !== undefined)
  assert.equal((await service.status()).fault?.code, 'E_PACKETS_FAILED')
  await clock.advance(1_000)
  await until(() => service.fault === undefined)
  assert.equal((await service.status()).carried?.links, 0)
  assert.deepEqual([workers.length, waits], [2, [1_000]])
})

test('a packet thread is told of new onion keys, and one that is started again begins with them', async (t) => {
  const { clock, workers, create } = await network(t)
  const post = t.mock.method(Worker.prototype, 'postMessage')
  /** Public halves of the onion keys of each message that has some. */
  const told = (): Uint8Array[][] =>
    post.mock.calls.flatMap(({ arguments: [message] }) => {
      const command = message as PacketCommand
      const pairs = command.type === 'open' ? command.init.keys?.onion : undefined
      const keys = command.type === 'onionKeys' ? command.keys : pairs
      return keys === undefined ? [] : [keys.map(({ publicKey }) => publicKey)]
    })
  const service = await create()
  const keys = [1, 2].map((seed) => x25519KeyPair(new Uint8Array(32).fill(seed)))
  const names = keys.map(({ publicKey }) => publicKey)
  service.setOnionKeys(keys)
  await service.status()
  assert.deepEqual(told().slice(1), [names])
  await workers[0]?.terminate()
  await until(() => service.fault !== undefined)
  await clock.advance(1_000)
  await until(() => service.fault === undefined)
  assert.deepEqual(told().slice(2), [names])
})

test('one whose proxy cannot start again leaves its UDP port to the next', async (t) => {
  const { clock, workers, waits, proxy, create } = await network(t)
  const service = await create()
  await service.up()
  await workers[0]?.terminate()
  await until(() => waits.length === 1)
  const other = createServer().listen(proxy, '127.0.0.1')
  await once(other, 'listening')
  await clock.advance(1_000)
  await until(() => waits.length === 2)
  assert.equal(service.fault?.code, 'E_PORT_TAKEN')
  assert.match(service.fault.cause, /^The proxy/)
  other.close()
  await once(other, 'close')
  await clock.advance(2_000)
  await until(() => service.fault === undefined)
  const { proxy: listening, carried } = await service.status()
  assert.equal(listening?.port, proxy)
  assert.equal(carried?.links, 0)
})

test('one that ends while it starts counts once, and attempts stay rare however long they fail', async (t) => {
  const { clock, workers, waits, create } = await network(t)
  const service = await create()
  const expected = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]
  for (const [index, waited] of expected.entries()) {
    await until(() => workers.length === index + 1)
    await workers.at(-1)?.terminate()
    await until(() => waits.length === index + 1)
    assert.deepEqual(waits, expected.slice(0, index + 1))
    assert.equal(service.fault?.code, 'E_PACKETS_FAILED')
    await clock.advance(waited)
  }
  await until(() => service.fault === undefined)
  // One that ran for a while has earned a quick restart.
  await clock.advance(60_001)
  await workers.at(-1)?.terminate()
  await until(() => waits.length > expected.length)
  assert.equal(waits.at(-1), 1_000)
})

test('a thread that does not answer is told of, and ended by force', async (t) => {
  const { clock, workers, create } = await network(t)
  const service = await create()
  const [worker] = workers
  assert.ok(worker !== undefined)
  worker.removeAllListeners('message')
  const passing = async <T>(what: Promise<T>): Promise<T> => {
    const passed = { settled: false }
    const settled = what.finally(() => (passed.settled = true))
    while (!passed.settled) await clock.advance(500)
    return settled
  }
  const { state, fault } = await passing(service.status())
  assert.deepEqual([state, fault?.code], ['blocked', 'E_PACKETS_FAILED'])
  assert.match(fault?.cause ?? '', /did not answer within 2 s/)
  const exit = once(worker, 'exit')
  await passing(service[Symbol.asyncDispose]())
  await exit
  // It ended because it was asked to.
  await clock.advance(120_000)
  assert.equal(workers.length, 1)
})

test('a port that is taken from the start is told to whoever opens it', async (t) => {
  const { workers, create } = await network(t)
  await create()
  await assert.rejects(create(), (error) => isWeftError(error, 'E_PORT_TAKEN'))
  assert.equal(workers.length, 2)
})

test('an exit that is to carry IP packets and cannot has a fault from the start', async (t) => {
  const { create } = await network(t)
  const why = { code: 'E_EXIT_IP', cause: 'It is not root.', fix: 'Run it as root.' }
  const told: (Fault | undefined)[] = [why, why, undefined]
  const thread = {
    setMembers: () => {},
    setUnreachable: () => {},
    setLoads: () => {},
    setOutside: () => {},
    setAddresses: () => {},
    status: async () => ({ carried: { exitIp: { fault: told.shift() } } }),
    [Symbol.asyncDispose]: async () => {},
  }
  t.mock.method(PacketThreads, 'open', async () => thread)
  const service = await create(true)
  assert.deepEqual(service.fault, why)
  await service.status()
  assert.deepEqual(service.fault, why)
  await service.status()
  assert.equal(service.fault, undefined)
})

test('a node that carries packets says its load by what its thread tells, and its thread hears of the loads of others', async (t) => {
  const { create, clock } = await network(t)
  const told: unknown[] = []
  let events: PacketThreadEvents | undefined
  const nothing = (): void => {}
  const thread = {
    setMembers: nothing,
    setUnreachable: nothing,
    setLoads: (loads: unknown) => void told.push(loads),
    setOutside: nothing,
    setAddresses: nothing,
    [Symbol.asyncDispose]: async () => {},
  }
  t.mock.method(PacketThreads, 'open', async (...given: Parameters<typeof PacketThreads.open>) => {
    events = given[4]
    return thread
  })
  const service = await create()
  const other = toDidKey(new Uint8Array(32).fill(9))
  const all = new Map([[other, { step: 3, ageMs: 1_000 } as const]])
  let onChange = (): void => {}
  let read: Parameters<Loads['publish']>[0] = () => undefined
  let followers = 0
  const loads: Loads = {
    get: (id) => all.get(id),
    all: () => all,
    follow: () => {
      followers++
      return () => followers--
    },
    publish: (reader) => {
      read = reader
      return () => {}
    },
    onChange: (listener) => {
      onChange = listener
      return () => {}
    },
  }
  const membership = { members: () => [], onChange: () => () => {} }
  service.follow({ membership, loads, peers: () => [], on: () => () => {} } as unknown as Overlay)
  assert.equal(followers, 1)
  await until(() => told.length === 2)
  assert.deepEqual(told, [new Map(), new Map([[other, 3]])])
  all.clear()
  onChange()
  await until(() => told.length === 3)
  assert.deepEqual(told[2], new Map())

  for (let second = 1; second <= 10; second++) {
    await clock.advance(1_000)
    events?.onUse(0.85)
  }
  assert.equal(read(), 3)
  await clock.advance(5_000)
  assert.equal(read(), 4, 'a thread that tells nothing any more')
  events?.onLost(new WeftError({ code: 'E_PACKETS_FAILED', cause: 'It ended.', fix: 'Start it.' }))
  assert.equal(read(), undefined, 'without a thread it takes no packets')
  assert.equal(followers, 0)
})

test('routes that are blocked have the kill switch as their cause where it holds the daemon back, in each answer and event', async (t) => {
  const { create } = await network(t)
  const none = { packets: 0, bytes: 0 }
  const uid = (process.getuid?.() ?? 0) + 1
  const status: KillSwitchStatus = {
    state: 'on',
    since: 1,
    allowLan: false,
    uid,
    orderedBy: ['person'],
    nodes: 0,
    blocked: { dns: none, lan: none, ipv6: none, forwarded: none, other: none },
    differences: [],
    reboot: { isProtected: true, cause: '', fix: '' },
    fault: undefined,
  }
  const killSwitch = {
    isOrdered: true,
    isOf: () => false,
    renew: async () => [],
    setNodes: async () => {},
    status: async () => status,
  }
  const service = await create(false, { home: '/another', nodesFile: '/dev/null/none', killSwitch })
  const events: (string | undefined)[] = []
  service.on('route', ({ state, fault }) => void (state === 'blocked' && events.push(fault?.code)))
  await service.up()
  // There are no members: without the switch that would be the cause.
  await until(() => events.length > 0)
  assert.deepEqual([...new Set(events)], ['E_KILL_SWITCH'])
  assert.equal(service.fault?.code, 'E_KILL_SWITCH')
  const told = await service.status()
  assert.deepEqual([told.state, told.fault?.code], ['blocked', 'E_KILL_SWITCH'])
  assert.match(told.fault?.fix ?? '', /weft vpn killswitch on --home/)
})
