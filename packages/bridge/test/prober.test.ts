import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Server, createServer } from 'node:https'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { type TLSSocket, connect } from 'node:tls'
import fc from 'fast-check'
import { bindingOf, makePass } from '../src/pass.ts'
import { answerAsWebServer } from '../src/web-page.ts'
import { BridgeFixture, HOST } from './bridge-fixture.ts'
import { TEST_CERTIFICATE, TEST_KEY } from './test-identity.ts'

// What somebody sees who tries an address to find out whether a bridge is there: the same as at a server that is none.

const portOf = (server: Server): number => (server.address() as AddressInfo).port

describe('an active prober', () => {
  let fixture: BridgeFixture
  let plain: Server
  before(async () => {
    fixture = await BridgeFixture.open()
    // A web server with the same page, which knows nothing of bridges.
    plain = createServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }, (request, response) =>
      answerAsWebServer(undefined, request, response),
    ).listen(0, HOST)
    await once(plain, 'listening')
  })
  after(async () => {
    plain.close()
    await fixture[Symbol.asyncDispose]()
  })

  async function call(port: number, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): Promise<TLSSocket> {
    const socket = connect({
      host: HOST,
      port,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
      maxVersion,
    })
    await once(socket, 'secureConnect')
    return socket
  }

  /** All that comes back, but what changes by itself. */
  async function answer(socket: TLSSocket, said: string | Uint8Array): Promise<string> {
    const parts: Buffer[] = []
    socket.on('data', (chunk: Buffer) => parts.push(chunk))
    socket.on('error', () => {})
    socket.end(said)
    if (!socket.closed) await once(socket, 'close')
    return Buffer.concat(parts)
      .toString('latin1')
      .replaceAll(/Date: [^\r]*/g, 'Date:')
  }

  async function assertSame(said: string | Uint8Array, maxVersion?: 'TLSv1.2'): Promise<string> {
    const [here, there] = await Promise.all([
      call(fixture.server.port, maxVersion).then((socket) => answer(socket, said)),
      call(portOf(plain), maxVersion).then((socket) => answer(socket, said)),
    ])
    assert.equal(here, there)
    return here
  }

  const request = (path: string, ...headers: readonly string[]): string =>
    [`GET ${path} HTTP/1.1`, 'Host: www.example.org', ...headers, '', ''].join('\r\n')
  const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'] as const

  test('gets the page, and what else a web server says', async () => {
    assert.match(await assertSame(request('/', 'Connection: close')), /404 Not Found[\s\S]*Cannot GET/)
    assert.match(await assertSame(request('/weft', 'Connection: close')), /404 Not Found/)
    assert.match(await assertSame(request('/', ...UPGRADE)), /404 Not Found/)
    assert.match(
      await assertSame('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc'),
      /404 Not Found[\s\S]*Cannot POST/,
    )
    assert.match(await assertSame('nothing of HTTP\r\n\r\n'), /400 Bad Request/)
    assert.match(await assertSame(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`), /431/)
    await assertSame('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    await assertSame('\x13/multistream/1.0.0\n')
    await assertSame(request('/', 'Connection: close'), 'TLSv1.2')
  })

  test('gets the same for what has the form of a pass, also one from another connection', async () => {
    const other = await call(fixture.server.port)
    const stolen = makePass(fixture.bridge, bindingOf(other), fixture.member)
    other.destroy()
    for (const pass of [stolen, 'A'.repeat(64), `${stolen}?`, `${stolen}/`, stolen.toLowerCase()])
      assert.match(await assertSame(request(`/${pass}`, ...UPGRADE)), /404 Not Found/)
  })

  test('gets the same for a pass of this connection that is not asked to change protocols, or by TLS 1.2', async () => {
    for (const [maxVersion, headers] of [
      ['TLSv1.3', ['Connection: close']],
      ['TLSv1.2', [...UPGRADE]],
    ] as const) {
      const socket = await call(fixture.server.port, maxVersion)
      const pass = makePass(fixture.bridge, bindingOf(socket), fixture.member)
      assert.match(await answer(socket, request(`/${pass}`, ...headers)), /404 Not Found/)
    }
    assert.equal(fixture.server.status().opened, 0)
  })

  test('gets the same where it ends a connection before TLS or amid it', { timeout: 20_000 }, async () => {
    for (const port of [fixture.server.port, portOf(plain)])
      for (const said of ['', '160301020001', '1603']) {
        const socket = connectTcp({ host: HOST, port, allowHalfOpen: true })
        const ended = once(socket.resume(), 'end')
        socket.end(Buffer.from(said, 'hex'))
        await ended
        socket.destroy()
      }
  })

  test('gets the same for anything else', async () => {
    const word = fc.stringMatching(/^[ -~]{0,40}$/)
    const asked = fc
      .tuple(fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'CONNECT', 'FOO', 'get'), word, fc.array(word, { maxLength: 4 }))
      .map(([method, path, headers]) => [`${method} /${path} HTTP/1.1`, ...headers, 'Host: x', '', ''].join('\r\n'))
    await fc.assert(
      fc.asyncProperty(fc.oneof(asked, fc.uint8Array({ maxLength: 200 })), async (said) => {
        await assertSame(said)
      }),
      { numRuns: 60 },
    )
  })

  test('learns by no answer that a pass was right but for its target', async () => {
    const socket = await call(fixture.server.port)
    const pass = makePass(fixture.bridge, bindingOf(socket), fixture.member)
    const raw = Uint8Array.fromBase64(pass, { alphabet: 'base64url' })
    const changed = raw.with(raw.length - 1, (raw[raw.length - 1] as number) ^ 1)
    const path = changed.toBase64({ alphabet: 'base64url', omitPadding: true })
    assert.match(await answer(socket, request(`/${path}`, ...UPGRADE)), /404 Not Found/)
  })
})
