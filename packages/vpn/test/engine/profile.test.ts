import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { type ServerResponse, createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { toDidKey } from '@weft/crypto'
import { ipFromBytes } from '@weft/onion'
import type { EngineParts } from '../../src/engine/packet-engine.ts'
import { ExitIp } from '../../src/engine/exit-ip.ts'
import { ExitPackets } from '../../src/engine/exit-packets.ts'
import { TunClient } from '../../src/engine/tun-client.ts'
import { TunRoute } from '../../src/engine/tun-route.ts'
import { IpNetwork } from '../../src/exit/ip-network.ts'
import { DEFAULT_ROUTE_PROFILE, type RouteProfile } from '../../src/profile/route-profile.ts'
import type { VpnEvents } from '../../src/vpn.ts'
import { NameServer, a } from '../dns/name-server.ts'
import { makePacket } from '../ip/make-packet.ts'
import { until } from '../service/until.ts'
import { NO_TUN } from './no-tun.ts'
import { get, openNode, socks } from './open-node.ts'

const TARGET = '203.0.113.9'

/** A client, and two exits of which each answers questions for names in its own way. */
async function twoExits(t: TestContext, profile: RouteProfile, parts: Partial<EngineParts> = {}, ip = false) {
  const carriers = [await openNode(1, ['entry']), await openNode(2, ['relay'])]
  const exits = await Promise.all(
    ['192.0.2.1', '192.0.2.2'].map(async (address, at) => {
      const server = await NameServer.listen(
        new Map([
          ['once.test', [a(address, 0)]],
          ['kept.test', [a(address, 3_600)]],
        ]),
      )
      const nameServers = [`127.0.0.1:${server.port}`]
      return { server, address, ...(await openNode(3 + at, ['exit'], '127.0.0.1', {}, { nameServers, ip })) }
    }),
  )
  const { engine: client } = await openNode(99, [], '127.0.0.1', parts, { profile })
  t.after(async () => {
    await client.close()
    for (const { engine } of [...carriers, ...exits]) await engine.close()
    for (const { server } of exits) await server[Symbol.asyncDispose]()
  })
  const members = [...carriers, ...exits].map(({ member }) => member)
  for (const { engine } of [...carriers, ...exits]) engine.setMembers(members)
  client.setMembers(members)
  const ask = async (name: string): Promise<string | undefined> => {
    const resolver = new Resolver({ timeout: 8_000, tries: 1 })
    resolver.setServers([`127.0.0.1:${client.status().dns?.port}`])
    return (await resolver.resolve4(name))[0]
  }
  return { client, exits, ask }
}

test('a profile that isolates nothing leads users and passwords over the routes of all, from the next request on', async (t) => {
  const nodes = [await openNode(1, ['entry']), await openNode(2, ['relay']), await openNode(3, ['exit'])]
  const { engine: client } = await openNode(99, [])
  const server = createServer((_, response) => response.end('page')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    await client.close()
    for (const { engine } of nodes) await engine.close()
    server.close()
  })
  const members = nodes.map(({ member }) => member)
  for (const { engine } of [...nodes, { engine: client }]) engine.setMembers(members)
  client.setProfile({ ...DEFAULT_ROUTE_PROFILE, isolation: 'none' })
  await client.up()
  const proxy = client.status().proxy?.port ?? assert.fail()
  const { port } = server.address() as { port: number }
  assert.equal(String(await get(proxy, port, 'alice')), 'page')
  assert.deepEqual(client.status().others, [])
  client.setProfile(DEFAULT_ROUTE_PROFILE)
  assert.equal(String(await get(proxy, port, 'alice')), 'page')
  assert.deepEqual(
    client.status().others.map(({ use }) => use),
    ['credentials'],
  )
})

test('a profile that no longer keeps destinations apart ends their routes over which nothing runs', async (t) => {
  const { engine: client } = await openNode(99, [])
  t.after(() => client.close())
  const apart: RouteProfile = { ...DEFAULT_ROUTE_PROFILE, isolation: 'destination' }
  client.setProfile(apart)
  await client.up()
  const proxy = client.status().proxy?.port ?? assert.fail()
  const uses = () => client.status().others.map(({ use }) => use)
  // There is nobody to go over: it is refused, and the routes stand and go on trying.
  assert.ok(typeof (await socks(proxy, 'a.test', 80)) === 'number')
  assert.deepEqual(uses(), ['destination'])
  client.setProfile({ ...apart, rotationMs: 120_000 })
  assert.deepEqual(uses(), ['destination'])
  client.setProfile(DEFAULT_ROUTE_PROFILE)
  assert.deepEqual(uses(), [])
})

test('while no exit is where the profile wants it, requests are refused, and what runs goes on', async (t) => {
  const nodes = [await openNode(1, ['entry']), await openNode(2, ['relay']), await openNode(3, ['exit'])]
  const { engine: client } = await openNode(99, [])
  const held: ServerResponse[] = []
  const server = createServer((request, response) => {
    if (request.url === '/held') held.push(response.writeHead(200))
    else response.end('page')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    await client.close()
    for (const { engine } of nodes) await engine.close()
    server.closeAllConnections()
    server.close()
  })
  const members = nodes.map(({ member }) => member)
  for (const { engine } of [...nodes, { engine: client }]) engine.setMembers(members)
  await client.up()
  const proxy = client.status().proxy?.port ?? assert.fail()
  const { port } = server.address() as { port: number }
  const running = await socks(proxy, '127.0.0.1', port)
  assert.ok(typeof running !== 'number')
  running.write('GET /held HTTP/1.1\r\nHost: test\r\n\r\n')
  assert.equal(String(await get(proxy, port, 'alice')), 'page')
  client.setProfile({ ...DEFAULT_ROUTE_PROFILE, exit: 'SE' })
  for (const user of [undefined, 'alice', 'bob']) {
    const refused = await socks(proxy, '127.0.0.1', port, user)
    assert.ok(typeof refused === 'number', `${user ?? 'nobody'} got through`)
  }
  const { state, fault, others } = client.status()
  assert.deepEqual([state, fault?.code], ['blocked', 'E_NO_EXIT'])
  assert.deepEqual(
    others.map((routes) => [routes.state, routes.fault?.code]),
    [
      ['blocked', 'E_NO_EXIT'],
      ['blocked', 'E_NO_EXIT'],
    ],
  )
  held[0]?.write('more')
  let came = ''
  while (!came.includes('more')) {
    const [chunk] = (await once(running, 'data')) as [Buffer]
    came += String(chunk)
  }
  client.setProfile({ ...DEFAULT_ROUTE_PROFILE, exit: 'DE' })
  assert.equal(String(await get(proxy, port, 'alice')), 'page')
  running.destroy()
})

test('DNS is as the ways of the first up say until down', async (t) => {
  const { engine } = await openNode(1, [])
  t.after(() => engine.close())
  const ways = { dns: { host: '127.0.0.1', port: 0 }, tun: NO_TUN }
  await engine.up(undefined, ways)
  const { dns } = engine.status()
  assert.ok(dns !== undefined)
  await engine.up(undefined, { ...ways, dns: undefined })
  assert.deepEqual(engine.status().dns, dns)
  await engine.down()
  await engine.up(undefined, { ...ways, dns: undefined })
  assert.deepEqual([engine.status().dns, engine.status().proxy === undefined], [undefined, false])
})

test('a tunnel is wanted, and split, as the ways say', async (t) => {
  const { engine } = await openNode(1, [])
  t.after(() => engine.close())
  const tun = { ...NO_TUN, isWanted: true, includePrograms: { users: ['no-such-user'], cgroups: [] } }
  await assert.rejects(engine.up(undefined, { dns: undefined, tun }), { code: 'E_TUN_SPLIT', message: /no-such-user/ })
  await engine.up(false, { dns: undefined, tun })
  assert.ok(engine.status().proxy !== undefined)
})

/** In place of interfaces of this machine: what a client's tunnel would carry, and what exits hand to their systems, by their ids. */
function withoutInterfaces(t: TestContext) {
  const written = new Map<string, Uint8Array[]>()
  t.mock.method(ExitIp, 'open', async ({ nodeKey, policy, clock }: Parameters<typeof ExitIp.open>[0]) => {
    const out: Uint8Array[] = []
    written.set(toDidKey(nodeKey), out)
    const network = IpNetwork.of(nodeKey, [], false)
    const write = (packet: Uint8Array): void => void out.push(packet.slice())
    const packets = new ExitPackets({ policy, clock, network, write, release: async () => {} })
    return { packets, status: undefined, close: async () => {} } as unknown as ExitIp
  })
  const routes: TunRoute[] = []
  t.mock.method(TunClient, 'up', async (init: Parameters<typeof TunClient.up>[0]) => {
    const route = new TunRoute({ ...init, onTaken: () => {}, onPacket: () => {} })
    routes.push(route)
    route.look()
    return { moved: () => route.look(), down: async () => route.close(), failures: [] } as unknown as TunClient
  })
  /** A packet of the machine. */
  const send = (): void => {
    const { channel, paths, address4 } = routes[0]?.current ?? assert.fail('there is no channel')
    const packet = makePacket({ source: ipFromBytes(address4), destination: TARGET })
    assert.ok(channel.send(packet, packet.length))
    paths.wake()
  }
  return { written, send, exit: () => routes[0]?.current?.paths.exit?.id }
}

test('packets and names of the whole machine go over routes as another profile has them, as soon as one is ready', async (t) => {
  const { written, send, exit } = withoutInterfaces(t)
  const events: VpnEvents['routeEvent'][] = []
  const before = { ...DEFAULT_ROUTE_PROFILE, tier: 'off', exit: 'auto' } as const
  const { client, exits, ask } = await twoExits(t, before, { onRouteEvent: (event) => void events.push(event) }, true)
  await client.up(true, { dns: { host: '127.0.0.1', port: 0 }, tun: NO_TUN })
  await until(() => exit() !== undefined)
  const first = exits.find(({ member }) => member.id === exit()) ?? assert.fail()
  const second = exits.find((other) => other !== first) ?? assert.fail()
  assert.equal(await ask('kept.test'), first.address)
  send()
  await until(() => written.get(first.member.id)?.length === 1)

  client.setProfile({ ...before, tier: 'standard', exit: second.member.id })
  await until(() => exit() === second.member.id)
  send()
  await until(() => written.get(second.member.id)?.length === 1)
  assert.equal(written.get(first.member.id)?.length, 1)
  assert.equal(await ask('kept.test'), second.address)
  const told = events.filter(({ use, cause }) => use === 'tunnel' && cause.includes('the whole machine'))
  assert.deepEqual(
    told.map(({ node, code }) => [node, code]),
    [[second.member.id, 'ROUTE_MOVED']],
  )
  // Nothing is left of what the profile before had.
  await until(() =>
    client
      .status()
      .others.flatMap(({ legs }) => legs)
      .every(({ hops }) => hops.at(-1)?.node === second.member.id),
  )
})

test('names that are asked for all the time are asked over other routes as these rotate', async (t) => {
  const { client, exits, ask } = await twoExits(t, { ...DEFAULT_ROUTE_PROFILE, tier: 'off', rotationMs: 200 })
  await client.up(false, { dns: { host: '127.0.0.1', port: 0 }, tun: NO_TUN })
  const seen = new Set<string | undefined>()
  const deadline = performance.now() + 20_000
  while (seen.size < exits.length) {
    assert.ok(performance.now() < deadline, 'one exit is asked for all names')
    seen.add(await ask('once.test'))
  }
})
