import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { test } from 'node:test'
import { VirtualClock, WeftError } from '@weft/core'
import type { SessionStream } from '@weft/onion'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import type { PathSet } from '../../src/engine/path-set.ts'
import { ProxyServer } from '../../src/engine/proxy-server.ts'
import { FakeStream } from './fake-stream.ts'

/** A program that was answered and keeps its half of the connection open. */
async function lingering(
  said: Uint8Array | string,
): Promise<{ server: ProxyServer; clock: VirtualClock; client: Socket }> {
  const clock = new VirtualClock(0)
  const server = new ProxyServer({
    queue: new FlushQueue(() => {}),
    clock,
    resolve: () => Promise.reject(new Error('nothing is to be looked up')),
    open: () => Promise.reject(new WeftError({ code: 'E_ROUTE_TIMEOUT', cause: 'none', fix: 'none' })),
  })
  const port = await server.listen('127.0.0.1', 0)
  const client = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  client.write(said)
  client.resume()
  await once(client, 'end')
  return { server, clock, client }
}

const SAID: readonly (readonly [string, Uint8Array | string])[] = [
  ['is refused', 'GET / HTTP/1.1\r\n\r\n'],
  ['has no route', Uint8Array.of(5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 1, 0, 80)],
]

for (const [name, said] of SAID)
  test(`a connection that ${name} is not kept by a program that does not close it`, async () => {
    const { server, clock, client } = await lingering(said)
    const closed = once(client, 'close').catch(() => {})
    client.on('error', () => {})
    await clock.advance(10_000)
    // Whoever is gone answers the next bytes with a reset.
    const timer = setInterval(() => client.write('x'), 5)
    await closed
    clearInterval(timer)
    assert.ok(client.destroyed)
    await server.close()
  })

test('a program that says nothing is refused after 4 s, and what it says then opens nothing', async () => {
  const clock = new VirtualClock(0)
  let opened = 0
  const server = new ProxyServer({
    queue: new FlushQueue(() => {}),
    clock,
    resolve: () => Promise.reject(new Error('nothing is to be looked up')),
    open: () => Promise.resolve(void opened++),
  })
  const port = await server.listen('127.0.0.1', 0)
  const client = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  const answered: (Buffer | string)[] = []
  client.on('data', (chunk) => void answered.push(chunk)).on('error', () => {})
  await once(client, 'connect')
  client.write(Uint8Array.of(5, 1, 0))
  await once(client, 'data')
  const ended = once(client, 'end')
  await clock.advance(4_000)
  await ended
  assert.deepEqual(
    server.failures.map(({ code, count }) => [code, count]),
    [['E_PROXY_REQUEST', 1]],
  )
  const closed = once(client, 'close').catch(() => {})
  const request = setInterval(() => client.write(Uint8Array.of(5, 1, 0, 1, 192, 0, 2, 1, 0, 80)), 5)
  await clock.advance(4_000)
  await closed
  clearInterval(request)
  assert.equal(opened, 0)
  assert.equal(
    answered.reduce((sum, { length }) => sum + length, 0),
    2 + 10,
  )
  await server.close()
})

const REFUSED: readonly (readonly [said: Uint8Array | string, cause: RegExp, fix: RegExp])[] = [
  [
    'CONNECT example.org HTTP/1.1\r\n\r\n',
    /sent the proxy CONNECT to what is no host and port\./,
    /port of 1 to 65535/,
  ],
  ['GET /proxy.pac HTTP/1.1\r\nHost: evil.test\r\n\r\n', /by another name/, /http:\/\/127\.0\.0\.1:\d+\/proxy\.pac/],
  [`CONNECT a.b:1 HTTP/1.1\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, /more than 16384 bytes/, /fewer or shorter headers/],
  ['GET http://a.b/ HTTP/1.1\r\n\r\n', /the method GET of HTTP, of which it serves CONNECT alone\.$/, /socks5h/],
  ['CONNECT a.b:1 HTTP/2\r\n\r\n', /no request line/, /RFC 9112.*socks5h/],
  [
    Uint8Array.of(4, 1, 0, 80, 192, 0, 2, 1, 0),
    /^A program sent the proxy a request of SOCKS4, which .*\.$/,
    /socks5h/,
  ],
  [Uint8Array.of(5, 1, 1), /no method of authentication/, /user and password/],
  [Uint8Array.of(5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 1, 0, 0), /for port 0/, /port of 1 to 65535/],
]

test('what is no request is told with what to do about it', async () => {
  for (const [said, cause, fix] of REFUSED) {
    const { server, client } = await lingering(said)
    try {
      const [failure] = server.failures
      assert.equal(failure?.code, 'E_PROXY_REQUEST')
      assert.match(failure.cause, cause)
      assert.match(failure.fix, fix)
    } finally {
      client.destroy()
      await server.close()
    }
  }
})

const OPENING: readonly (readonly [name: string, said: Uint8Array | string])[] = [
  ['SOCKS5', Uint8Array.of(5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 1, 0, 80)],
  ['HTTP CONNECT', 'CONNECT a.test:80 HTTP/1.1\r\nHost: a.test\r\n\r\n'],
]

for (const [name, opening] of OPENING) {
  /** A program that has a stream by way of the proxy; it was answered and has the bytes `ok`. */
  const joined = async () => {
    const stream = new FakeStream()
    const paths = { forget: () => {}, wake: () => {}, loss: undefined } as unknown as PathSet
    const server = new ProxyServer({
      queue: new FlushQueue(() => {}),
      clock: new VirtualClock(0),
      resolve: () => Promise.reject(new Error('nothing is to be looked up')),
      open: (_, __, ___, take) => {
        take(stream as unknown as SessionStream, paths)
        return Promise.resolve(stream.give(Buffer.from('ok')))
      },
    })
    const port = await server.listen('127.0.0.1', 0)
    const client = connect({ host: '127.0.0.1', port })
    const heard: string[] = []
    let said = ''
    const { promise: answered, resolve } = Promise.withResolvers<void>()
    client.on('data', (chunk) => {
      said += chunk.toString('latin1')
      if (said.endsWith('ok')) resolve()
    })
    client.on('end', () => heard.push('end'))
    client.on('error', (error: NodeJS.ErrnoException) => heard.push(error.code ?? error.message))
    client.write(opening)
    await answered
    return { server, stream, client, heard }
  }

  test(`${name}: a stream that runs when the proxy ends is reset, which no program takes for its end`, async () => {
    const { server, client, heard, stream } = await joined()
    const closed = new Promise((done) => client.once('close', done))
    await server.close()
    await closed
    assert.deepEqual(heard, ['ECONNRESET'])
    assert.equal(stream.ends.length, 1)
    assert.match(stream.ends[0] ?? '', /^reset /)
  })

  test(`${name}: a stream that has ended ends as it did when the proxy ends`, async () => {
    const { server, client, heard, stream } = await joined()
    const ended = once(client, 'end')
    stream.finish()
    await ended
    await server.close()
    assert.deepEqual(heard, ['end'])
    client.destroy()
  })
}
