import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { WebSocket, WebSocketServer } from 'ws'
import { createHost } from '../../../src/transport/host.ts'
import { InboundGate } from '../../../src/transport/inbound-gate.ts'
import {
  MAX_PENDING_CONNECTIONS,
  MAX_WEB_SOCKET_FRAGMENTS,
  MAX_WEB_SOCKET_HEADER,
  MAX_WEB_SOCKET_MESSAGE,
} from '../../../src/transport/limits.ts'
import { toPeerId, toPrivateKey } from '../../../src/transport/peer-id.ts'
import { WebSocketTransport } from '../../../src/transport/websocket/web-socket-transport.ts'
import { through } from '../man-in-the-middle.ts'
import { TestNetwork, type TestNode } from '../test-network.ts'
import { until } from '../until.ts'

function webSocketOf({ transport }: TestNode): string {
  const address = transport.listenAddresses().find((each) => each.endsWith('/ws'))
  assert.ok(address)
  return address
}

function portOf(address: string): number {
  return Number(/\/tcp\/(\d+)/.exec(address)?.[1])
}

const silent = { forComponent: () => silentLog } as never
const silentLog = Object.assign(() => {}, {
  error: () => {},
  trace: () => {},
  enabled: false,
  newScope: () => silentLog,
})

test('a node is called over a WebSocket, in TLS, and bulk goes both ways', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ listen: false }), await network.node({ websocket: true })]
  network.addresses.set(b.id, [webSocketOf(b)])
  b.transport.handle('map.head', async (_, caller) => {
    assert.equal(caller.id, a.id)
    assert.match(caller.address, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/ws/)
    return {}
  })
  b.transport.handleStream('shard', async (stream) => {
    for await (const chunk of stream.incoming) await stream.write(chunk)
    await stream.closeWrite()
  })
  await a.transport.call(b.id, 'map.head', {})
  const stream = await a.transport.open(b.id, 'shard')
  const sent = new Uint8Array(5_000_000).map((_, index) => index % 251)
  const reading = (async () => {
    const parts: Uint8Array[] = []
    for await (const chunk of stream.incoming) parts.push(chunk)
    return Buffer.concat(parts)
  })()
  await stream.write(sent)
  await stream.closeWrite()
  assert.ok((await reading).equals(sent))
})

test('a browser, which has no TLS of libp2p, is let in by Noise on a WebSocket and nowhere else', async () => {
  await using network = new TestNetwork()
  const b = await network.node({ websocket: true })
  // What a browser brings: WebSockets, Noise, yamux.
  const gate = new InboundGate(systemClock)
  const browser = await createLibp2p({
    privateKey: toPrivateKey(SigningKey.generate()),
    transports: [
      (components: Parameters<ReturnType<typeof noise>>[0]) =>
        new WebSocketTransport({ gate, logger: silent, browsers: noise()(components) }),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  })
  try {
    const connection = await browser.dial(multiaddr(webSocketOf(b)).encapsulate(`/p2p/${toPeerId(b.id).toString()}`))
    assert.ok(connection.remotePeer.equals(toPeerId(b.id)))
  } finally {
    await browser.stop()
  }
  const a = await network.node({ listen: false })
  assert.deepEqual(await through(network, a, b), [false, 0], 'Noise was taken or asked for on TCP')
})

test('who holds the door of the WebSocket open and says nothing keeps nobody out', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ listen: false }), await network.node({ websocket: true })]
  const port = portOf(webSocketOf(b))
  const sockets = Array.from({ length: MAX_PENDING_CONNECTIONS + 8 }, () => connectTcp(port, '127.0.0.1'))
  try {
    await Promise.all(
      sockets.map((socket) =>
        once(
          socket.on('error', () => {}),
          'connect',
        ),
      ),
    )
    // The ones that waited longest give way.
    await until(() => sockets.filter(({ closed }) => closed).length >= 8, 'the oldest are closed')
    network.addresses.set(b.id, [webSocketOf(b)])
    await a.transport.connect(b.id)
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})

test('what is no WebSocket is told so and closed', async () => {
  await using network = new TestNetwork()
  const b = await network.node({ websocket: true })
  const port = portOf(webSocketOf(b))
  const answer = async (request: string): Promise<string> => {
    const socket = connectTcp(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(request)
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    await once(socket, 'close')
    return text
  }
  assert.match(await answer('GET / HTTP/1.1\r\nhost: x\r\n\r\n'), /^HTTP\/1\.1 426 /)
  assert.match(await answer('\x16\x03\x01 not http\r\n\r\n'), /^HTTP\/1\.1 400 /)
  const header = `x: ${'y'.repeat(MAX_WEB_SOCKET_HEADER)}`
  assert.match(await answer(`GET / HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n`), /^HTTP\/1\.1 431 /)
})

test('a message over the limit ends the WebSocket before it is whole', async () => {
  await using network = new TestNetwork()
  const b = await network.node({ websocket: true })
  const socket = new WebSocket(`ws://127.0.0.1:${portOf(webSocketOf(b))}/`)
  await once(socket, 'open')
  const closed = once(socket, 'close')
  socket.on('error', () => {})
  socket.send(new Uint8Array(MAX_WEB_SOCKET_MESSAGE + 1))
  const [code] = (await closed) as [number]
  assert.notEqual(code, 1000)
})

/** The code with which the other side ends a WebSocket that sends one message in more pieces than it takes. */
async function codeOfPieces(socket: WebSocket): Promise<number> {
  const closed = once(socket, 'close')
  socket.on('error', () => {})
  for (let piece = 0; piece <= MAX_WEB_SOCKET_FRAGMENTS; piece++) socket.send(Uint8Array.of(1), { fin: false })
  const [code] = (await closed) as [number]
  return code
}

test('a message in many small pieces, each of which holds a buffer of the socket, ends the WebSocket on both sides', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ listen: false }), await network.node({ websocket: true })]
  const caller = new WebSocket(`ws://127.0.0.1:${portOf(webSocketOf(b))}/`)
  await once(caller, 'open')
  assert.equal(await codeOfPieces(caller), 1008)
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  try {
    await once(server, 'listening')
    const code = once(server, 'connection').then(([called]) => codeOfPieces(called as WebSocket))
    const { port } = server.address() as AddressInfo
    const { id } = SigningKey.generate()
    network.addresses.set(id, [`/ip4/127.0.0.1/tcp/${port}/ws`])
    await assert.rejects(a.transport.connect(id), { code: 'E_NODE_UNREACHABLE' })
    assert.equal(await code, 1008)
  } finally {
    server.close()
  }
})

test('a host that stops leaves no WebSocket open', async () => {
  const clock = systemClock
  const host = await createHost(
    {
      privateKey: toPrivateKey(SigningKey.generate()),
      listen: [{ host: '127.0.0.1', port: 0, websocket: true }],
      announce: [],
      noise: false,
      clock,
    },
    {},
  )
  const port = portOf(host.getMultiaddrs()[0]!.toString())
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  await once(socket, 'open')
  const closed = once(socket, 'close')
  await host.stop()
  await closed
})
