import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Scope, silentLogger, systemClock, systemRandom } from '@weft/core'
import { x25519KeyPair } from '@weft/crypto'
import { type VpnService, createVpn } from '../../src/service/create-vpn.ts'
import { NO_TUN } from '../engine/no-tun.ts'

/** A node whose tunnel cannot be opened: it is to leave out a user that the machine does not have. */
async function service(t: TestContext, roles: { readonly relay: boolean } = { relay: false }): Promise<VpnService> {
  const scope = new Scope({ name: 'test' })
  t.after(() => scope.close())
  const keys = { link: x25519KeyPair(systemRandom.bytes(32)), onion: [x25519KeyPair(systemRandom.bytes(32))] }
  return createVpn({
    networkId: 'test',
    nodeKey: new Uint8Array(32).fill(7),
    roles: { entry: false, exit: false, ...roles },
    suite: 'auto',
    carriage: 'auto',
    keys: roles.relay ? keys : undefined,
    workers: 1,
    udp: { host: '127.0.0.1', port: 0 },
    proxy: { host: '127.0.0.1', port: 0 },
    dns: { host: '127.0.0.1', port: 0 },
    tun: { ...NO_TUN, excludePrograms: { users: ['no-such-user'], cgroups: [] } },
    bootstrap: [],
    relay: { bytesPerSecond: undefined },
    exit: { allow: [], deny: [], own: [], nameServers: [], ip: false },
    clock: systemClock,
    logger: silentLogger,
    scope,
  })
}

test('a tunnel that cannot be opened leaves the proxy and its connections alone, and the status says why', async (t) => {
  const vpn = await service(t)
  await vpn.up()
  const { proxy, dns } = await vpn.status()
  assert.ok(proxy !== undefined)
  const socket = connect(proxy.port, proxy.host)
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  await assert.rejects(vpn.up(true), { code: 'E_TUN_SPLIT' })
  const after = await vpn.status()
  assert.deepEqual([after.state, after.proxy, after.dns], ['blocked', proxy, dns])
  assert.deepEqual([after.tun?.state, after.tun?.fault?.code], ['failed', 'E_TUN_SPLIT'])
  assert.match(after.tun?.fault?.cause ?? '', /no-such-user/)
  assert.match(after.tun?.fault?.fix ?? '', /./)
  socket.write(Uint8Array.of(5, 1, 0))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.deepEqual([...answer], [5, 0])
  // Who does without it has no fault.
  await vpn.up()
  assert.equal((await vpn.status()).tun, undefined)
  // Before the proxy goes, which resets what is open.
  socket.destroy()
})

test('where no proxy stood before none stands after, and the reason stays until the VPN is turned off', async (t) => {
  const vpn = await service(t)
  await assert.rejects(vpn.up(true), { code: 'E_TUN_SPLIT' })
  const { state, proxy, tun } = await vpn.status()
  assert.deepEqual([state, proxy, tun?.fault?.code], ['off', undefined, 'E_TUN_SPLIT'])
  await vpn.down()
  assert.equal((await vpn.status()).tun, undefined)
})

test('the same of a node that carries packets for others', async (t) => {
  const vpn = await service(t, { relay: true })
  await vpn.up()
  await assert.rejects(vpn.up(true), { code: 'E_TUN_ROLES' })
  const { proxy, tun } = await vpn.status()
  assert.ok(proxy !== undefined)
  assert.deepEqual([tun?.state, tun?.fault?.code], ['failed', 'E_TUN_ROLES'])
})
