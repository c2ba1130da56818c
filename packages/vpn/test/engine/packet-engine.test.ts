import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import { type Socket, connect, createServer as createTcpServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { systemRandom } from '@weft/core'
import { generateX25519 } from '@weft/onion'
import type { Role } from '@weft/overlay'
import type { PacketEngine } from '../../src/engine/packet-engine.ts'
import { PortDuplex } from '../../src/service/port-duplex.ts'
import { until } from '../service/until.ts'
import { type TestNode, get, openNode, socks } from './open-node.ts'

const BODY = randomBytes(1_000_000)
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Two heads and what comes behind, as far as they are there. */
function splitHeads(text: string): [string, string, string] {
  const [first = '', second = '', ...rest] = text.split('\r\n\r\n')
  return [first, second, rest.join('\r\n\r\n')]
}

describe('a network of packet engines', () => {
  let nodes: TestNode[]
  let client: PacketEngine
  let server: Server
  let target: number
  let proxy: number

  before(async () => {
    nodes = []
    for (const [index, roles] of (
      [['entry', 'relay'], ['entry', 'relay'], ['entry', 'relay'], ['entry', 'relay'], ['exit'], ['exit']] as Role[][]
    ).entries())
      nodes.push(await openNode(index + 1, roles))
    ;({ engine: client } = await openNode(99, []))
    const members = nodes.map(({ member }) => member)
    for (const { engine } of nodes) engine.setMembers(members)
    client.setMembers(members)
    server = createServer((request, response) => {
      if (request.method === 'POST') {
        const digest = createHash('sha256')
        request.on('data', (chunk: Buffer) => digest.update(chunk)).on('end', () => response.end(digest.digest('hex')))
      } else response.end(BODY)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    target = (server.address() as { port: number }).port
    await client.up()
    proxy = client.status().proxy?.port ?? assert.fail()
  })

  after(async () => {
    await client.close()
    for (const { engine } of nodes) await engine.close()
    server.close()
    server.closeAllConnections()
  })

  test('a page comes through three distinct nodes', async () => {
    assert.equal(hash(await get(proxy, target)), hash(BODY))
    const { state, route, streams } = client.status()
    assert.equal(state, 'connected')
    assert.equal(new Set(route.legs[0]?.hops.map(({ node }) => node)).size, 3)
    assert.equal(streams.failed, 0)
  })

  test('twenty at once', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => get(proxy, target)))
    for (const body of all) assert.equal(hash(body), hash(BODY))
  })

  test('upload', async () => {
    const socket = await socks(proxy, '127.0.0.1', target)
    assert.ok(typeof socket !== 'number')
    socket.write(`POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: ${BODY.length}\r\n\r\n`)
    socket.write(BODY)
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    assert.match(Buffer.concat(chunks).toString(), new RegExp(`${hash(BODY)}$`, 'u'))
  })

  test('a refused port, a policy refusal and a name that does not exist have their replies', async () => {
    assert.equal(await socks(proxy, '127.0.0.1', 1), 5)
    assert.equal(await socks(proxy, '127.0.0.1', 9), 2)
    assert.equal(await socks(proxy, '10.0.0.1', 80), 2)
    assert.equal(await socks(proxy, '-no-name-', 80), 4)
    assert.deepEqual(
      client.status().failures.map(({ code, count }) => [code, count]),
      [
        ['E_TARGET_NAME', 1],
        ['E_TARGET_POLICY', 2],
        ['E_TARGET_REFUSED', 1],
      ],
    )
  })

  test('a page comes by HTTP CONNECT, and what policy forbids is refused with a status', async () => {
    const answer = async (target: string): Promise<string> => {
      const socket = connect({ host: '127.0.0.1', port: proxy, allowHalfOpen: true })
      socket.write(
        `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\nGET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`,
      )
      const chunks: Buffer[] = []
      for await (const chunk of socket) chunks.push(chunk as Buffer)
      return Buffer.concat(chunks).toString('latin1')
    }
    const [connected, head, body] = splitHeads(await answer(`127.0.0.1:${target}`))
    assert.equal(connected, 'HTTP/1.1 200 OK')
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/)
    assert.equal(hash(Buffer.from(body, 'latin1')), hash(BODY))
    const [refused, why] = splitHeads(await answer('127.0.0.1:9'))
    assert.match(refused, /^HTTP\/1\.1 403 Forbidden\r\n.*Proxy-Status: weft; error=destination_ip_prohibited/s)
    assert.match(why, /^E_\w+: .*\nFix: /)
  })

  test('a service of a member is reached over routes of its own, which end when they are to', async () => {
    const echo = createTcpServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const member = nodes[0]?.member ?? assert.fail()
    const { port } = echo.address() as { port: number }
    for (const { engine } of nodes) engine.setAddresses([{ key: member.key, addresses: [{ host: '127.0.0.1', port }] }])
    const { services } = client
    await services.ready(1)
    assert.equal(services.status.routes, 1)
    const open = async (name: string): Promise<PortDuplex> => {
      const { port1, port2 } = new MessageChannel()
      await services.open({ routes: 1, member: member.id, name, port: port2 })
      return new PortDuplex(port1)
    }
    const duplex = await open('overlay')
    duplex.write(BODY)
    let came = 0
    for await (const chunk of duplex) {
      came += (chunk as Buffer).length
      if (came === BODY.length) break
    }
    await assert.rejects(open('mailbox'), { code: 'E_SERVICE_NOT_OFFERED' })
    assert.ok(services.status.sentBytes >= BODY.length && services.status.receivedBytes >= BODY.length)
    const again = await open('overlay')
    const over = new Promise((done) => again.on('error', () => {}).once('close', done))
    services.end(1)
    await over
    assert.deepEqual([services.status.routes, services.status.streams], [0, 0])
    echo.close()
  })

  test('a route outlives new onion keys of its hops, and those of before being erased; new ones are built with the new', async (t) => {
    const server = createTcpServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as { port: number }
    const socket = await socks(proxy, '127.0.0.1', port)
    assert.ok(typeof socket !== 'number', 'the proxy refused')
    t.after(() => socket.destroy())
    const says = async (text: string): Promise<void> => {
      socket.write(text)
      assert.equal(String(await once(socket, 'data')), text)
    }
    await says('before')
    const { engine: late } = await openNode(96, [])
    t.after(() => late.close())
    const before = nodes.map(({ member }) => member)
    late.setMembers(before)
    const renewed = nodes.map((node) => ({ ...node, next: generateX25519(systemRandom) }))
    const members = renewed.map(({ member, next }) => ({ ...member, onionKey: next.publicKey }))
    for (const { engine, onion, next } of renewed) {
      engine.setOnionKeys([next, onion])
      engine.setMembers(members)
    }
    client.setMembers(members)
    await says('with both')
    // Whoever has the map of before builds a route by it.
    await late.up()
    assert.equal(hash(await get(late.status().proxy?.port ?? assert.fail(), target)), hash(BODY))
    await late.down()
    for (const { engine, onion, next } of renewed) {
      engine.setOnionKeys([next])
      assert.ok(onion.secretKey.every((byte) => byte === 0))
    }
    await says('with the new one')
    // By a user of its own, over a route of its own.
    const other = await socks(proxy, '127.0.0.1', port, 'renewed')
    assert.ok(typeof other !== 'number', 'the proxy refused')
    other.destroy()
    // Behind the overlap the map of before leads nowhere, and the next one does at once.
    await late.up()
    await until(() => /handshake refused/.test(late.status().fault?.cause ?? ''))
    late.setMembers(members)
    assert.equal(hash(await get(late.status().proxy?.port ?? assert.fail(), target)), hash(BODY))
    for (const [at, { next }] of renewed.entries()) {
      const node = nodes[at] ?? assert.fail()
      nodes[at] = { ...node, member: members[at] ?? assert.fail(), onion: next }
    }
  })

  test('probes of one node at the same time share the answer', async () => {
    const { engine } = await openNode(98, [])
    const { endpoint, linkKey } = nodes[0]?.member ?? assert.fail()
    await Promise.all(Array.from({ length: 3 }, () => engine.probe({ endpoint, linkKey })))
    await engine.close()
  })

  test('packets to a node that asks for admission are counted; one that answers loses none on this machine', async () => {
    const { engine } = await openNode(97, [])
    const { endpoint, linkKey } = nodes[0]?.member ?? assert.fail()
    const [{ sent, lost }] = await Promise.all([
      engine.measureLoss({ endpoint, linkKey }),
      engine.probe({ endpoint, linkKey }),
    ])
    assert.equal(sent, 400)
    assert.ok(lost < 40, `${lost} of them`)
    await engine.close()
  })

  test('a route of a user and password is told, and nothing of who it is', async () => {
    const held = await socks(proxy, '127.0.0.1', target, 'hidden-user')
    assert.ok(typeof held !== 'number', 'the proxy refused')
    const { others } = client.status()
    const route = others.find(({ legs }) => legs[0]?.streams === 1) ?? assert.fail()
    assert.deepEqual([route.use, route.state, route.legs[0]?.state], ['credentials', 'connected', 'active'])
    assert.equal(route.legs[0]?.hops.length, 3)
    assert.doesNotMatch(JSON.stringify(others), /hidden-user|aGlkZGVu|hpZGRlbi|oaWRkZW/)
    held.destroy()
    await once(held, 'close')
  })

  test('of too many users one without open connections goes first, though another was idle for longer', async () => {
    const held = await socks(proxy, '127.0.0.1', target, 'held')
    assert.ok(typeof held !== 'number', 'the proxy refused')
    for (let user = 0; user < 17; user++) {
      const socket = await socks(proxy, '127.0.0.1', target, `user${user}`)
      assert.ok(typeof socket !== 'number', 'the proxy refused')
      socket.destroy()
      await once(socket, 'close')
    }
    held.write('GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n')
    const chunks: Buffer[] = []
    for await (const chunk of held) chunks.push(chunk as Buffer)
    const all = Buffer.concat(chunks)
    assert.equal(hash(all.subarray(all.indexOf('\r\n\r\n') + 4)), hash(BODY))
  })

  test('of too many users with open connections the last one is refused, and nobody else loses any', async () => {
    const held: Socket[] = []
    for (let user = 0; user < 16; user++) {
      const socket = await socks(proxy, '127.0.0.1', target, `held${user}`)
      assert.ok(typeof socket !== 'number', 'the proxy refused')
      held.push(socket)
    }
    assert.equal(await socks(proxy, '127.0.0.1', target, 'one-more'), 1)
    assert.equal(client.status().failures[0]?.code, 'E_PROXY_FULL')
    assert.equal(hash(await get(proxy, target)), hash(BODY))
    assert.ok(held.every(({ readableEnded, destroyed }) => !readableEnded && !destroyed))
    for (const socket of held) socket.destroy()
  })

  test('what went over a proxy is still counted when it is down, and behind that', async () => {
    const { engine } = await openNode(90, [])
    engine.setMembers(nodes.map(({ member }) => member))
    try {
      for (const round of [1, 2]) {
        await engine.up()
        const { port } = engine.status().proxy ?? assert.fail()
        const through = await socks(port, '127.0.0.1', target)
        assert.ok(typeof through !== 'number', 'the proxy refused')
        through.destroy()
        assert.equal(await socks(port, '127.0.0.1', 9), 2)
        await engine.down()
        const { streams, failures } = engine.status()
        assert.deepEqual(streams, { open: 0, opened: round, failed: round })
        assert.equal(failures.length, round)
      }
    } finally {
      await engine.close()
    }
  })

  /** The node at a place of the route that carries. */
  const carrying = (at: number): TestNode => {
    const leg = client.status().route.legs.find(({ streams }) => streams > 0)
    return nodes.find(({ member }) => member.id === leg?.hops[at]?.node) ?? assert.fail()
  }
  const legsUp = (): number => client.status().route.legs.filter(({ state }) => state === 'active').length

  test('a connection goes on when a relay is gone, and ends with a reason when its exit is', async (t) => {
    const echo = createTcpServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const held = await socks(proxy, '127.0.0.1', (echo.address() as { port: number }).port)
    assert.ok(typeof held !== 'number', 'the proxy refused')
    held.on('error', () => {})
    t.after(() => {
      held.destroy()
      echo.close()
    })
    const over = new Promise((done) => held.once('close', done))
    let came = 0
    held.on('data', ({ length }: Buffer) => (came += length))
    const answered = async (): Promise<void> => {
      const wanted = came + BODY.length
      held.write(BODY)
      await until(() => came === wanted)
    }
    await until(() => legsUp() === 2)
    await answered()
    const {
      failures: before,
      streams: { failed },
    } = client.status()
    await carrying(1).engine.close()
    await answered()
    assert.equal(hash(await get(proxy, target)), hash(BODY))
    assert.deepEqual(client.status().failures, before)
    assert.equal(held.destroyed, false)

    await carrying(2).engine.close()
    assert.equal(hash(await get(proxy, target)), hash(BODY))
    // Whose connection it was reads why it ended; it had not failed to reach its target.
    await over
    const { failures, streams } = client.status()
    assert.match(failures[0]?.cause ?? '', /^A connection ended with its route: /)
    assert.match(failures[0]?.code ?? '', /^E_(CIRCUIT_ENDED|ROUTE_\w+)$/)
    assert.equal(streams.failed, failed)
  })
})

test('a node that carries packets for others leads no machine through a tunnel', async () => {
  const { engine } = await openNode(1, ['relay'])
  await assert.rejects(engine.up(true), { code: 'E_TUN_ROLES' })
  assert.equal(engine.status().state, 'off')
  assert.equal(engine.status().tun, undefined)
  await engine.close()
})
