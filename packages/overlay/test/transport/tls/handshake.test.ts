import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Socket, connect as connectTcp } from 'node:net'
import { test } from 'node:test'
import { type ConnectionOptions, type TLSSocket, connect } from 'node:tls'
import { SigningKey } from '@weft/crypto'
import { didOfPeer, toPrivateKey } from '../../../src/transport/peer-id.ts'
import { createHostCertificate } from '../../../src/transport/tls/host-certificate.ts'
import { verifyCertificate } from '../../../src/transport/tls/verify-certificate.ts'
import { TestNetwork, type TestNode } from '../test-network.ts'

/** A TCP connection on which the other side has agreed to /tls/1.0.0 (multistream-select 1.0). */
async function negotiated(node: TestNode): Promise<Socket> {
  const port = Number(node.transport.listenAddresses()[0]!.split('/').at(-1))
  const socket = connectTcp(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.on('error', () => {})
  const hello = '\u0013/multistream/1.0.0\n\u000b/tls/1.0.0\n'
  socket.write(hello)
  let answer = ''
  while (answer.length < hello.length) answer += ((await once(socket, 'data')) as [Buffer])[0].toString('latin1')
  socket.removeAllListeners('data')
  assert.equal(answer, hello)
  return socket
}

/** Resolves when the socket is closed, by an error or not. */
function closeOf(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.on('error', () => {})
  socket.once('close', () => resolve())
  return promise
}

async function clientOptions(): Promise<ConnectionOptions> {
  const { certificate, key } = await createHostCertificate(toPrivateKey(SigningKey.generate()))
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toBase64()}\n-----END CERTIFICATE-----\n`,
    key: key.export({ format: 'pem', type: 'pkcs8' }),
    rejectUnauthorized: false,
    ALPNProtocols: ['/yamux/1.0.0', 'libp2p'],
  }
}

async function shake(node: TestNode, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ ...(await clientOptions()), ...options, socket: await negotiated(node) })
  await once(socket, 'secureConnect')
  return socket
}

test('a handshake agrees on the hybrid key exchange, TLS 1.3 and the muxer, and proves the node key', async () => {
  await using network = new TestNetwork()
  const node = await network.node()
  const socket = await shake(node, {})
  assert.equal((socket.getEphemeralKeyInfo() as { name?: string }).name, 'X25519MLKEM768')
  assert.equal(socket.getProtocol(), 'TLSv1.3')
  assert.equal(socket.alpnProtocol, '/yamux/1.0.0')
  assert.equal(didOfPeer(await verifyCertificate(socket.getPeerX509Certificate()!.raw, Date.now())), node.id)
  socket.destroy()
})

const weaker: [string, ConnectionOptions][] = [
  ['X25519 alone', { ecdhCurve: 'X25519' }],
  ['P-256 alone', { ecdhCurve: 'P-256' }],
  ['TLS 1.2', { maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' }],
]
for (const [name, options] of weaker) {
  test(`a peer that offers only ${name} is refused`, async () => {
    await using network = new TestNetwork()
    await assert.rejects(shake(await network.node(), options))
  })
}

test('a peer without a certificate, or with one of no node, gets no connection', async () => {
  await using network = new TestNetwork()
  const node = await network.node()
  const socket = connect({ rejectUnauthorized: false, ALPNProtocols: ['libp2p'], socket: await negotiated(node) })
  await closeOf(socket)
  assert.deepEqual(node.transport.connected(), [])
})

test('the node goes on serving after strangers sent it noise instead of a handshake', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ listen: false }), await network.node()]
  b.transport.handle('map.head', async () => ({}))
  for (let i = 0; i < 5; i++) {
    const socket = await negotiated(b)
    const over = closeOf(socket)
    socket.resume()
    socket.end(Buffer.alloc(2_000, i))
    await over
  }
  await a.transport.call(b.id, 'map.head', {})
})
