import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Server, type Socket, createServer, connect as connectTcp } from 'node:net'
import { afterEach, describe, test } from 'node:test'
import { type TLSSocket, connect, createServer as createTlsServer } from 'node:tls'
import { type Clock, VirtualClock, systemClock, systemRandom } from '@weft/core'
import type { Endpoint, Packet } from '@weft/onion'
import { createPlainCertificate } from '@weft/overlay'
import { CarriagePort } from '../../src/carriage/carriage-port.ts'
import type { Flow } from '../../src/carriage/flow.ts'
import { writeFrame } from '../../src/carriage/frame-reader.ts'
import { writePreface } from '../../src/carriage/preface.ts'

const LINK_KEY = new Uint8Array(randomBytes(32))
const HOST = '127.0.0.1'
type OnPacket = (packet: Packet, from: Endpoint) => void

const open = new Set<CarriagePort | Server | Socket>()
afterEach(() => {
  for (const each of open)
    if ('destroy' in each) each.destroy()
    else each.close()
  open.clear()
})

async function openPort(
  onPacket: OnPacket,
  listens: boolean,
  clock: Clock = systemClock,
  onTried?: (way: Endpoint, isMade: boolean) => void,
): Promise<CarriagePort> {
  const port = await CarriagePort.open({
    clock,
    random: systemRandom,
    onTried,
    onBatch: (count, packets, from) => {
      for (let at = 0; at < count; at++) onPacket(packets[at] as Packet, from[at] as Endpoint)
      port.flush()
    },
    ...(listens
      ? { listen: { host: HOST, port: 0, identity: createPlainCertificate(), linkKey: LINK_KEY } }
      : undefined),
  })
  open.add(port)
  return port
}

const numbered = (number: number): Uint8Array => new Uint8Array(1440).fill(number & 255)

/** A server that sends each packet back, and a client with what came to it. */
async function echo(): Promise<{
  server: CarriagePort
  client: CarriagePort
  way: Endpoint
  readonly next: (count: number) => Promise<number[]>
}> {
  const server = await openPort((packet, from) => server.send(packet.bytes, from), true)
  const got: number[] = []
  let wake = (): void => {}
  const client = await openPort((packet) => {
    got.push(packet.bytes[0] as number)
    wake()
  }, false)
  const way = client.to({ address: HOST, port: server.listening ?? assert.fail() }, LINK_KEY)
  const next = async (count: number): Promise<number[]> => {
    while (got.length < count) await new Promise<void>((resolve) => (wake = resolve))
    return got.splice(0, count)
  }
  return { server, client, way, next }
}

/** A stranger's own TLS. */
async function stranger(server: CarriagePort): Promise<TLSSocket> {
  const socket = connect({ host: HOST, port: server.listening ?? assert.fail(), rejectUnauthorized: false })
  open.add(socket)
  await once(socket, 'secureConnect')
  return socket
}

const said = async (socket: TLSSocket): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('latin1')
}

describe('packets in TLS', () => {
  test('go there and back, those sent before there is a connection too; then there are four', async () => {
    const { server, client, way, next } = await echo()
    assert.equal(way, client.to({ address: HOST, port: server.listening ?? 0 }, LINK_KEY), 'one way to one node')
    for (let i = 0; i < 10; i++) client.send(numbered(i), way)
    client.flush()
    assert.deepEqual(await next(10), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    let sent = 10
    for (; (way as Flow).connections < 4; sent += 50) {
      for (let i = 0; i < 50; i++) client.send(numbered(i), way)
      client.flush()
      await next(50)
    }
    assert.equal(server.flows, 1, 'which the other side knows to be one')
    const { received, carriageFull, carriageClosed, ...counters } = client.counters
    assert.deepEqual([received, counters.sent, carriageFull, carriageClosed], [sent, sent, 0, 0])
  })

  test('more than may wait for a connection is dropped, and counted', async () => {
    const { client, way, next } = await echo()
    for (let i = 0; i < 40; i++) client.send(numbered(i), way)
    client.flush()
    assert.equal((await next(32)).at(-1), 31)
    assert.equal(client.counters.carriageClosed, 8)
  })

  test('where nobody listens packets are dropped, and it is called again later only', async () => {
    const { client } = await echo()
    const way = client.to({ address: HOST, port: 1 }, LINK_KEY)
    client.send(numbered(1), way)
    client.flush()
    while (client.counters.carriageClosed === 0) await new Promise(setImmediate)
    client.send(numbered(2), way)
    assert.equal(client.counters.carriageClosed, 2)
  })

  test('whoever calls is told which connections were made, and which were not', async () => {
    const server = await openPort(() => {}, true)
    const told: [Endpoint, boolean][] = []
    let wake = (): void => {}
    const client = await openPort(
      () => {},
      false,
      systemClock,
      (way, isMade) => {
        told.push([way, isMade])
        wake()
      },
    )
    const ways = [server.listening ?? assert.fail(), 1].map((port) => client.to({ address: HOST, port }, LINK_KEY))
    for (const [at, way] of ways.entries()) {
      client.send(numbered(1), way)
      while (told.length === at) await new Promise<void>((resolve) => (wake = resolve))
    }
    assert.deepEqual(told, [
      [ways[0], true],
      [ways[1], false],
    ])
  })

  test('go by way of somebody else where that is set, and by no other', async () => {
    const server = await openPort((packet, from) => server.send(packet.bytes, from), true)
    const asked: string[] = []
    let works = false
    const { promise, resolve } = Promise.withResolvers<number>()
    const client = await CarriagePort.open({
      clock: systemClock,
      random: systemRandom,
      onBatch: (_, packets) => resolve(packets[0]?.bytes[0] ?? -1),
      through: async ({ host, port }) => {
        asked.push(`${host}:${port}`)
        if (!works) throw new Error('no way works')
        return connectTcp(server.listening ?? 0, HOST)
      },
    })
    open.add(client)
    const dead = client.to({ address: '192.0.2.7', port: 443 }, LINK_KEY)
    client.send(numbered(5), dead)
    client.flush()
    while (client.counters.carriageClosed === 0) await new Promise(setImmediate)
    works = true
    const way = client.to({ address: '192.0.2.8', port: 443 }, LINK_KEY)
    client.send(numbered(6), way)
    client.flush()
    assert.equal(await promise, 6)
    assert.deepEqual(asked.slice(0, 2), ['192.0.2.7:443', '192.0.2.8:443'])
  })

  test('a connection that ends is made anew for what is sent next', async () => {
    const sockets: Socket[] = []
    const { server, client, next } = await echo()
    const between = createServer((socket) => {
      open.add(socket)
      sockets.push(socket)
      socket.on('error', () => {})
      socket.pipe(connectTcp(server.listening ?? 0, HOST).on('error', () => {})).pipe(socket)
    })
    open.add(between)
    between.listen(0, HOST)
    await once(between, 'listening')
    const { port } = between.address() as { port: number }
    const way = client.to({ address: HOST, port }, LINK_KEY)
    client.send(numbered(1), way)
    client.flush()
    assert.deepEqual(await next(1), [1])
    for (const socket of sockets) socket.destroy()
    while ((way as Flow).connections > 0) await new Promise(setImmediate)
    client.send(numbered(2), way)
    client.flush()
    assert.deepEqual(await next(1), [2])
  })

  test('a reader that does not read costs bounded memory: packets are dropped', async () => {
    const came = Promise.withResolvers<Endpoint>()
    const server = await openPort((_, endpoint) => came.resolve(endpoint), true)
    const socket = await stranger(server)
    const frame = new Uint8Array(1442)
    writeFrame(frame, 0, numbered(1))
    socket.write(Buffer.concat([writePreface(randomBytes(16), LINK_KEY), frame]))
    socket.pause()
    const to = await came.promise
    // Beyond what the kernel takes on both sides.
    for (let round = 0; round < 4_000 && server.counters.carriageFull === 0; round++) {
      for (let i = 0; i < 32; i++) server.send(numbered(i), to)
      server.flush()
      await new Promise(setImmediate)
    }
    assert.ok(server.counters.carriageFull > 0)
    assert.ok(server.queuedBytes <= 128 * 1024 + 32 * 1442, `${server.queuedBytes} bytes wait`)
    socket.destroy()
    while (server.flows > 0 || server.queuedBytes > 0) await new Promise(setImmediate)
  })

  test('a fifth connection of a flow is refused', async () => {
    const four = Promise.withResolvers<void>()
    const came: Endpoint[] = []
    const server = await openPort((_, from) => {
      came.push(from)
      if (came.length === 4) four.resolve()
    }, true)
    const frame = new Uint8Array(1442)
    writeFrame(frame, 0, numbered(1))
    const first = Buffer.concat([writePreface(randomBytes(16), LINK_KEY), frame])
    for (let i = 0; i < 4; i++) (await stranger(server)).write(first)
    await four.promise
    const fifth = await stranger(server)
    const closed = once(fifth.on('error', () => {}).resume(), 'close')
    fifth.write(first)
    // It is taken or refused, and either shows.
    while (came.length === 4 && server.counters.carriageRefused === 0) await new Promise(setImmediate)
    assert.equal(came.length, 4)
    assert.equal(server.counters.carriageRefused, 1)
    await closed
    assert.equal(server.flows, 1)
  })

  test('where one more connection is refused it is not called for with each packet', async () => {
    const { certificate: cert, key } = createPlainCertificate()
    const called: Socket[] = []
    const node = createTlsServer({ cert, key }, (socket) => {
      open.add(socket)
      called.push(socket)
      let preface = 32
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => {
        const skipped = Math.min(preface, chunk.length)
        preface -= skipped
        if (skipped < chunk.length) socket.write(chunk.subarray(skipped))
      })
    })
    open.add(node)
    node.listen(0, HOST)
    await once(node, 'listening')
    let wake = (): void => {}
    const client = await openPort(() => wake(), false, new VirtualClock())
    const { port } = node.address() as { port: number }
    const way = client.to({ address: HOST, port }, LINK_KEY) as Flow
    const round = async (): Promise<void> => {
      const answered = new Promise<void>((resolve) => (wake = resolve))
      client.send(numbered(1), way)
      client.flush()
      await answered
    }
    while (way.connections < 4) await round()
    called.at(-1)?.destroy()
    while (way.connections === 4) await new Promise(setImmediate)
    for (let i = 0; i < 200; i++) await round()
    assert.equal(called.length, 4)
  })

  test('a stranger without the link key is answered as by a web server', async () => {
    const { server } = await echo()
    const socket = await stranger(server)
    socket.write('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n')
    assert.match(await said(socket), /^HTTP\/1\.1 400 Bad Request\r\n/)
    assert.equal(server.counters.carriageRefused, 1)
    assert.equal(server.flows, 0)
  })

  test('what is no packet ends the connection', async () => {
    const { server } = await echo()
    const socket = await stranger(server)
    socket.write(Buffer.concat([writePreface(randomBytes(16), LINK_KEY), Uint8Array.of(5, 0xdc)]))
    assert.equal(await said(socket), '')
    assert.equal(server.counters.carriageMalformed, 1)
  })

  test('TLS 1.2 is not spoken, and the key exchange is hybrid', async () => {
    const { server } = await echo()
    const old = connect({ host: HOST, port: server.listening ?? 0, rejectUnauthorized: false, maxVersion: 'TLSv1.2' })
    open.add(old)
    await assert.rejects(once(old, 'secureConnect'), /alert|version/i)
    const socket = await stranger(server)
    assert.equal(socket.getProtocol(), 'TLSv1.3')
  })

  test('a taken port is said so', async () => {
    const { server } = await echo()
    const listen = { host: HOST, port: server.listening ?? 0, identity: createPlainCertificate(), linkKey: LINK_KEY }
    await assert.rejects(CarriagePort.open({ clock: systemClock, random: systemRandom, onBatch: () => {}, listen }), {
      code: 'E_PORT_TAKEN',
    })
  })
})
