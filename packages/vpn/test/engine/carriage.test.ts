import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type RemoteInfo, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type Server as HttpServer, createServer } from 'node:http'
import { type Server, type Socket, connect, createServer as createTcpServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Endpoint } from '@weft/onion'
import type { RouteMember } from '../../src/route/route-member.ts'
import { until } from '../service/until.ts'
import { type TestNode, get, openNode } from './open-node.ts'

const BODY = randomBytes(300_000)

/** A place by which a node is reached through a path that loses datagrams of more than 1,232 bytes. */
async function narrowPath({ address, port }: Endpoint) {
  const outside = createSocket('udp4')
  const inside = createSocket('udp4')
  const made = {
    endpoint: { address: '127.0.0.1', port: 0 },
    lost: 0,
    async [Symbol.asyncDispose](): Promise<void> {
      outside.close()
      inside.close()
    },
  }
  let client: RemoteInfo | undefined
  outside.on('message', (bytes, from) => {
    client = from
    if (bytes.length > 1_232) made.lost++
    else inside.send(bytes, port, address)
  })
  inside.on('message', (bytes) => {
    if (bytes.length > 1_232) made.lost++
    else if (client !== undefined) outside.send(bytes, client.port, client.address)
  })
  outside.bind(0, '127.0.0.1')
  inside.bind(0, '127.0.0.1')
  await Promise.all([once(outside, 'listening'), once(inside, 'listening')])
  made.endpoint.port = outside.address().port
  return made
}

describe('packets of a client in TLS', () => {
  let nodes: TestNode[]
  let members: RouteMember[]
  let server: HttpServer
  let target: number
  let between: Server
  const sockets = new Set<Socket>()

  before(async () => {
    nodes = [await openNode(1, ['entry']), await openNode(2, ['relay']), await openNode(3, ['exit'])]
    members = nodes.map(({ member }) => member)
    for (const { engine } of nodes) engine.setMembers(members)
    server = createServer((_, response) => response.end(BODY))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    target = (server.address() as { port: number }).port
    // At its port there is the entry by TCP, and nobody by UDP.
    between = createTcpServer((socket) => {
      const { address, port } = members[0]?.endpoint ?? assert.fail()
      const on = connect(port, address)
      for (const each of [socket, on]) sockets.add(each.on('error', () => {}))
      socket.pipe(on).pipe(socket)
    })
    between.listen(0, '127.0.0.1')
    await once(between, 'listening')
  })

  after(async () => {
    for (const { engine } of nodes) await engine.close()
    server.close()
    server.closeAllConnections()
    between.close()
    for (const socket of sockets) socket.destroy()
  })

  test('by setting, over the TCP port of the same number as that for UDP', async () => {
    const { engine } = await openNode(99, [], '127.0.0.1', {}, { carriage: 'tls' })
    engine.setMembers(members)
    await engine.up()
    assert.deepEqual(await get(engine.status().proxy?.port ?? 0, target), BODY)
    assert.equal(engine.status().route.legs[0]?.carriage, 'tls')
    assert.deepEqual(engine.status().carriage, {
      over: 'tls',
      setting: 'tls',
      reason: 'vpn.carriage is tls',
      since: undefined,
    })
    assert.equal(nodes[0]?.engine.status().carried?.inTls, 1)
    await engine.close()
  })

  test('by themselves, where nothing answers by UDP; and the status says why', async () => {
    const { port } = between.address() as { port: number }
    const [entry, ...others] = members as [RouteMember, ...RouteMember[]]
    const { engine } = await openNode(98, [])
    engine.setMembers([{ ...entry, endpoint: { address: '127.0.0.1', port } }, ...others])
    await engine.up()
    assert.deepEqual(await get(engine.status().proxy?.port ?? 0, target), BODY)
    const { carriage, route } = engine.status()
    assert.equal(route.legs[0]?.carriage, 'tls')
    assert.equal(carriage.over, 'tls')
    assert.match(carriage.reason, /blocked/)
    await engine.close()
  })

  test('in halves, where whole packets are lost on the way to the entry', async () => {
    const [entry, ...others] = members as [RouteMember, ...RouteMember[]]
    await using path = await narrowPath(entry.endpoint)
    const { engine } = await openNode(95, [])
    engine.setMembers([{ ...entry, endpoint: path.endpoint }, ...others])
    await engine.up()
    assert.deepEqual(await get(engine.status().proxy?.port ?? 0, target), BODY)
    const { carriage, route } = engine.status()
    assert.equal(route.legs[0]?.carriage, 'halves')
    assert.equal(carriage.over, 'halves')
    assert.ok(path.lost > 0)
    await engine.close()
  })

  test('between members in halves, too: a relay makes its link to an exit as it can', async () => {
    const [entry, relay, exit] = members as [RouteMember, RouteMember, RouteMember]
    await using path = await narrowPath(exit.endpoint)
    nodes[1]?.engine.setMembers([entry, relay, { ...exit, endpoint: path.endpoint }])
    const { engine } = await openNode(94, [])
    await engine.probe({ endpoint: path.endpoint, linkKey: exit.linkKey })
    engine.setMembers(members)
    await engine.up()
    assert.deepEqual(await get(engine.status().proxy?.port ?? 0, target), BODY)
    assert.ok(path.lost > 0)
    await engine.close()
    nodes[1]?.engine.setMembers(members)
  })

  test('what keeps packets from entries is said: UDP that is blocked and nothing else allowed, a bridge that does not work', async () => {
    const { port } = between.address() as { port: number }
    const [entry, ...others] = members as [RouteMember, ...RouteMember[]]
    const blocked = [{ ...entry, endpoint: { address: '127.0.0.1', port } }, ...others]
    const { engine: byUdp } = await openNode(93, [], '127.0.0.1', {}, { carriage: 'udp' })
    const bridge = {
      endpoint: { host: '127.0.0.1', port: 1 },
      pin: new Uint8Array(32),
      id: new Uint8Array(8),
      secret: new Uint8Array(32),
      serverName: '',
    }
    const { engine: byBridge } = await openNode(92, [], '127.0.0.1', {}, { bridges: [bridge] })
    for (const engine of [byUdp, byBridge]) {
      engine.setMembers(blocked)
      await engine.up()
    }
    await until(() => [byUdp, byBridge].every((engine) => engine.status().fault !== undefined))
    assert.match(byUdp.status().fault?.fix ?? '', /vpn\.carriage = "auto"/)
    const { code, cause, fix } = byBridge.status().fault ?? assert.fail()
    assert.equal(code, 'E_BRIDGE_NONE')
    assert.match(cause, /E_BRIDGE_UNREACHABLE/)
    assert.match(fix, /weft bridge show/)
    for (const engine of [byUdp, byBridge]) await engine.close()
  })

  test('UDP is what is taken where both work', async () => {
    const { engine } = await openNode(97, [])
    engine.setMembers(members)
    await engine.up()
    assert.deepEqual(await get(engine.status().proxy?.port ?? 0, target), BODY)
    assert.equal(engine.status().route.legs[0]?.carriage, 'udp')
    assert.equal(engine.status().carriage.reason, '')
    await engine.close()
  })

  test('an entry that asks for admission is tried in TLS as well; a relay has none', async () => {
    const { engine } = await openNode(96, [])
    const [entry, relay] = members as [RouteMember, RouteMember]
    await engine.probe({ endpoint: entry.endpoint, linkKey: entry.linkKey, over: 'tls' })
    await assert.rejects(engine.probe({ endpoint: relay.endpoint, linkKey: relay.linkKey, over: 'tls' }), {
      code: 'E_PACKETS_SILENT',
      message: /\(TCP\)/,
    })
    await engine.close()
  })
})
