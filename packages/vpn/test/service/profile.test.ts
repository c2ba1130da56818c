import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Scope, VirtualClock, silentLogger } from '@weft/core'
import type { MachineWays } from '../../src/engine/engine-init.ts'
import { DEFAULT_ROUTE_PROFILE } from '../../src/profile/route-profile.ts'
import { type VpnService, createVpn } from '../../src/service/create-vpn.ts'
import type { PacketCommand } from '../../src/service/packet-messages.ts'
import { NO_TUN } from '../engine/no-tun.ts'
import { until } from './until.ts'

const DNS = { host: '127.0.0.1', port: 0 }
const ROUTE = { ...DEFAULT_ROUTE_PROFILE, exit: 'DE', hops: 4 }
const WAYS: MachineWays = { dns: DNS, tun: NO_TUN }

interface Rig {
  readonly vpn: VpnService
  readonly clock: VirtualClock
  readonly workers: Worker[]
  /** Commands to packet threads of one kind. */
  readonly told: <K extends PacketCommand['type']>(type: K) => Extract<PacketCommand, { type: K }>[]
}

/** A client whose profile is the default one, without DNS. */
async function client(t: TestContext): Promise<Rig> {
  const clock = new VirtualClock()
  const scope = new Scope({ name: 'test' })
  const workers: Worker[] = []
  const onWorker = (worker: Worker): void => void workers.push(worker)
  process.on('worker', onWorker)
  t.after(async () => {
    process.off('worker', onWorker)
    const closed = scope.close()
    await clock.advance(5_000)
    await closed
  })
  const post = t.mock.method(Worker.prototype, 'postMessage')
  const vpn = await createVpn({
    networkId: 'test',
    nodeKey: new Uint8Array(32).fill(7),
    roles: { entry: false, relay: false, exit: false },
    suite: 'auto',
    carriage: 'auto',
    keys: undefined,
    workers: 1,
    udp: { host: '127.0.0.1', port: 0 },
    proxy: { host: '127.0.0.1', port: 0 },
    dns: undefined,
    tun: NO_TUN,
    bootstrap: [],
    relay: { bytesPerSecond: undefined },
    exit: { allow: [], deny: [], own: [], nameServers: [], ip: false },
    clock,
    logger: silentLogger,
    scope,
  })
  const told: Rig['told'] = (type) =>
    post.mock.calls
      .map(({ arguments: [message] }) => message as PacketCommand)
      .filter((command): command is Extract<PacketCommand, { type: typeof type }> => command.type === type)
  return { vpn, clock, workers, told }
}

test('a thread begins with the profile in use, is told of another at once, and of its ways by up', async (t) => {
  const { vpn, told } = await client(t)
  vpn.setProfile(ROUTE, WAYS)
  assert.deepEqual(vpn.pending.fields, [])
  await vpn.up()
  assert.deepEqual(told('open')[0]?.init.profile, ROUTE)
  assert.deepEqual([told('up')[0]?.ways, told('up')[0]?.tun], [WAYS, undefined])
  assert.ok((await vpn.status()).dns !== undefined)
  vpn.setProfile(DEFAULT_ROUTE_PROFILE, { ...WAYS, dns: undefined })
  await vpn.status()
  assert.deepEqual(told('setProfile'), [{ type: 'setProfile', profile: DEFAULT_ROUTE_PROFILE }])
  assert.deepEqual(vpn.pending, { fields: ['dns'], takes: 'again' })
  await vpn.up()
  assert.deepEqual(vpn.pending, { fields: ['dns'], takes: 'again' })
  await vpn.down()
  assert.deepEqual(vpn.pending.fields, [])
  await vpn.up()
  assert.deepEqual([vpn.pending.fields, (await vpn.status()).dns], [[], undefined])
})

test('a thread that is started again has the profile, and all of it', async (t) => {
  const { vpn, clock, workers, told } = await client(t)
  await vpn.up()
  vpn.setProfile(ROUTE, WAYS)
  assert.deepEqual(vpn.pending.fields, ['dns'])
  await workers[0]?.terminate()
  await until(() => vpn.fault !== undefined)
  await clock.advance(1_000)
  await until(() => told('up').length === 2 && vpn.pending.fields.length === 0)
  assert.deepEqual([told('open')[1]?.init.profile, told('up')[1]?.ways], [ROUTE, WAYS])
  assert.ok((await vpn.status()).dns !== undefined)
})

test('a tunnel that the profile wants and cannot have is why up fails, and waits for it no longer with another', async (t) => {
  const { vpn } = await client(t)
  const tun = { ...NO_TUN, isWanted: true, excludePrograms: { users: ['no-such-user'], cgroups: [] } }
  await vpn.up()
  vpn.setProfile(ROUTE, { dns: undefined, tun })
  assert.deepEqual(vpn.pending, { fields: ['tun'], takes: 'up' })
  await assert.rejects(vpn.up(), { code: 'E_TUN_SPLIT' })
  assert.equal(vpn.fault?.code, 'E_TUN_SPLIT')
  assert.deepEqual(vpn.pending, { fields: ['tun'], takes: 'up' })
  vpn.setProfile(ROUTE, { dns: undefined, tun: NO_TUN })
  assert.deepEqual([vpn.pending.fields, vpn.fault], [[], undefined])
})
