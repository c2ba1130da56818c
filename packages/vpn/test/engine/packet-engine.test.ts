import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import { type Socket, connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { silentLogger, systemClock, systemRandom } from '@weft/core'
import { toDidKey } from '@weft/crypto'
import { generateX25519 } from '@weft/onion'
import type { Role } from '@weft/overlay'
import { PacketEngine } from '../../src/engine/packet-engine.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { makeMember } from '../route/make-member.ts'

const NETWORK = 'test-network'
const BODY = randomBytes(1_000_000)
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

interface TestNode {
  readonly engine: PacketEngine
  readonly member: RouteMember
}

async function openNode(index: number, roles: readonly Role[]): Promise<TestNode> {
  const nodeKey = randomBytes(32)
  const carries = roles.length > 0
  const link = generateX25519(systemRandom)
  const onion = generateX25519(systemRandom)
  const engine = await PacketEngine.open(
    {
      networkId: NETWORK,
      nodeKey,
      roles: { entry: roles.includes('entry'), relay: roles.includes('relay'), exit: roles.includes('exit') },
      keys: carries ? { link, onion } : undefined,
      suite: 'auto',
      udp: { host: '127.0.0.1', port: 0 },
      proxy: { host: '127.0.0.1', port: 0 },
      dns: undefined,
      exit: { allow: ['127.0.0.1/32:*'], deny: ['127.0.0.1/32:9'], own: [], nameServers: [] },
    },
    {
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      onRoute: () => {},
      onThroughput: () => {},
    },
  )
  const { address, port } = engine.endpoint ?? assert.fail()
  const member = makeMember(index, roles, {
    id: toDidKey(nodeKey),
    key: nodeKey,
    endpoint: { address, port },
    linkKey: link.publicKey,
    onionKey: onion.publicKey,
  })
  return { engine, member }
}

/**
 * One SOCKS5 CONNECT, by a user of its own (RFC 1929) where one is named.
 * @returns the socket once it is through, or the reply that refused it
 */
async function socks(port: number, host: string, target: number, user?: string): Promise<Socket | number> {
  const socket = connect({ host: '127.0.0.1', port })
  const name = Buffer.from(host)
  const hello = user === undefined ? [5, 1, 0] : [5, 1, 2, 1, user.length, ...Buffer.from(user), 1, 120]
  socket.write(Buffer.from([...hello, 5, 1, 0, 3, name.length, ...name, target >> 8, target & 255]))
  // Two bytes answer the greeting, two the credentials, ten the request.
  const ahead = user === undefined ? 2 : 4
  let answer = Buffer.alloc(0)
  while (answer.length < ahead + 10) {
    await once(socket, 'readable')
    answer = Buffer.concat([answer, (socket.read() as Buffer | null) ?? Buffer.alloc(0)])
  }
  const reply = answer[ahead + 1] as number
  if (reply === 0) return socket
  socket.destroy()
  return reply
}

async function get(proxy: number, target: number): Promise<Buffer> {
  const socket = await socks(proxy, '127.0.0.1', target)
  assert.ok(typeof socket !== 'number', 'the proxy refused')
  socket.write(`GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  const all = Buffer.concat(chunks)
  return all.subarray(all.indexOf('\r\n\r\n') + 4)
}

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

  test('the next request works after a hop is gone', async () => {
    const relay = client.status().route.legs[0]?.hops[1]?.node
    const node = nodes.find(({ member }) => member.id === relay) ?? assert.fail()
    await node.engine.close()
    assert.equal(hash(await get(proxy, target)), hash(BODY))
  })
})
