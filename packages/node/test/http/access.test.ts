import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Route } from '../../src/http/route.ts'
import { type Grant, SCOPE_NAMES } from '../../src/http/scopes.ts'
import type { ApiServices } from '../../src/routes/api-services.ts'
import { createRoutes } from '../../src/routes/create-routes.ts'
import { type Answer, type Call, JSON_TYPE, call } from '../support/http.ts'
import { type TestDaemon, startTestDaemon } from '../support/test-daemon.ts'

/** Only its shape is looked at: no handler runs. */
const ROUTES: readonly Route[] = createRoutes({ ports: {} } as unknown as ApiServices)

async function makeToken(
  { socket }: TestDaemon,
  name: string,
  scopes: readonly Grant[],
  ttlMs = 60_000,
): Promise<string> {
  const answer = await call({
    socketPath: socket,
    method: 'POST',
    path: '/api/v1/tokens',
    headers: JSON_TYPE,
    body: JSON.stringify({ name, scopes, ttlMs }),
  })
  assert.equal(answer.status, 200, answer.text)
  return answer.json<{ token: string }>().token
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

/** A request to a route that is well formed as far as access goes. */
function toRoute({ url, method }: Route, port: number, headers: Record<string, string>): Call {
  return { port, method, path: url.replaceAll(/:\w+/g, 'none'), headers: { connection: 'close', ...headers } }
}

test('every pair of route and scope: allowed exactly when the token has the scope', async (t) => {
  const daemon = await startTestDaemon(t)
  assert.ok(ROUTES.length >= 18)
  for (const scope of SCOPE_NAMES) {
    const token = await makeToken(daemon, scope.replace(':', '-'), [scope])
    for (const route of ROUTES) {
      // An endless stream; that it needs its scope is told below.
      if (route.url === '/api/v1/events' && scope === 'events:read') continue
      const answer = await call(toRoute(route, daemon.port, bearer(token)))
      const refused = answer.status === 403 || (answer.status === 401 && answer.code !== 'E_LINK_INVALID')
      assert.equal(
        refused,
        route.scope !== 'public' && route.scope !== scope,
        `${route.method} ${route.url} with ${scope}: ${answer.status} ${answer.text.slice(0, 150)}`,
      )
      if (refused) assert.equal(answer.code, 'E_SCOPE_MISSING')
    }
  }
})

test('without a token every route but the public ones is closed', async (t) => {
  const { port } = await startTestDaemon(t)
  for (const route of ROUTES) {
    const answer = await call(toRoute(route, port, {}))
    if (route.scope === 'public') assert.notEqual(answer.code, 'E_UNAUTHENTICATED', route.url)
    else
      assert.deepEqual(
        [answer.status, answer.code, answer.headers['www-authenticate']],
        [401, 'E_UNAUTHENTICATED', 'Bearer realm="weft"'],
        route.url,
      )
  }
})

test('tokens: wrong, malformed, expired and revoked ones are refused; only hashes are kept', async (t) => {
  const daemon = await startTestDaemon(t)
  const { port, socket, home } = daemon
  const token = await makeToken(daemon, 'reader', ['node:read'])
  const get = (headers: Record<string, string>): Promise<Answer> => call({ port, path: '/api/v1/status', headers })
  assert.equal((await get(bearer(token))).status, 200)
  assert.equal((await get({ authorization: `bearer ${token}` })).status, 200)
  for (const authorization of [
    `Bearer ${token}x`,
    `Bearer ${token.slice(0, -1)}`,
    token,
    `Basic ${token}`,
    'Bearer',
    `Bearer ${token} ${token}`,
    `Bearer ${'a'.repeat(300)}`,
  ]) {
    assert.equal((await get({ authorization })).status, 401, authorization)
  }
  const file = join(home, 'tokens.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.ok(!readFileSync(file, 'utf8').includes(token.slice(5)))
  const list = await call({ socketPath: socket, path: '/api/v1/tokens' })
  assert.ok(!list.text.includes(token.slice(5)))
  assert.equal((await call({ socketPath: socket, method: 'DELETE', path: '/api/v1/tokens/reader' })).status, 200)
  assert.equal((await get(bearer(token))).status, 401)
  assert.equal(
    (await call({ socketPath: socket, method: 'DELETE', path: '/api/v1/tokens/reader' })).code,
    'E_TOKEN_UNKNOWN',
  )
})

test('nobody hands out more than it has', async (t) => {
  const daemon = await startTestDaemon(t)
  const token = await makeToken(daemon, 'admin', ['node:admin', 'storage:read'])
  const make = (name: string, scopes: readonly Grant[]): Promise<Answer> =>
    call({
      port: daemon.port,
      method: 'POST',
      path: '/api/v1/tokens',
      headers: { ...JSON_TYPE, ...bearer(token) },
      body: JSON.stringify({ name, scopes }),
    })
  assert.equal((await make('a', ['storage:read'])).status, 200)
  for (const scopes of [['*'], ['storage:*'], ['storage:write'], ['storage:read', 'network:read']] as Grant[][]) {
    assert.equal((await make('b', scopes)).code, 'E_SCOPE_MISSING', scopes.join())
  }
})

test('a foreign or missing Host is refused on TCP, before anything else', async (t) => {
  const { port, socket } = await startTestDaemon(t, '[api]\nallowed_hosts = ["weft.example:443"]')
  const get = (host: string): Promise<Answer> => call({ port, path: '/livez', headers: { host } })
  for (const host of [
    `127.0.0.1:${port}`,
    `localhost:${port}`,
    `LOCALHOST:${port}`,
    `[::1]:${port}`,
    'weft.example:443',
  ]) {
    assert.equal((await get(host)).status, 200, host)
  }
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    `127.0.0.1:${port + 1}`,
    `127.0.0.1.evil.example:${port}`,
    `a@127.0.0.1:${port}`,
  ]) {
    const answer = await get(host)
    assert.deepEqual([answer.status, answer.code], [421, 'E_HOST_REFUSED'], host)
  }
  assert.equal((await call({ socketPath: socket, path: '/livez', headers: { host: 'whatever' } })).status, 200)
  assert.match(await raw(port, 'GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 421 /)
  assert.match(await raw(port, 'GET /livez HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /)
})

/** By which door, and with what. */
interface Caller {
  readonly socketPath?: string
  readonly port?: number
  readonly headers?: Record<string, string>
}

interface Link {
  readonly url: string
  readonly file?: string
}

async function makeLink(where: Caller, body: unknown = {}): Promise<Link> {
  const answer = await call({
    method: 'POST',
    path: '/api/v1/dashboard/link',
    body: JSON.stringify(body),
    ...where,
    headers: { ...JSON_TYPE, ...where.headers },
  })
  assert.equal(answer.status, 200, answer.text)
  return answer.json<Link>()
}

/** As the page of the dashboard does with the fragment of its address. */
function openLink(port: number, { url }: Link): Promise<Answer> {
  const body = JSON.stringify({ code: new URL(url).hash.slice(1) })
  return call({ port, method: 'POST', path: '/open', headers: JSON_TYPE, body })
}

test('a link opens a session once', async (t) => {
  const { port, socket } = await startTestDaemon(t)
  const link = await makeLink({ socketPath: socket })
  const { host, pathname, search, hash } = new URL(link.url)
  assert.deepEqual([host, pathname, search, hash.length], [`127.0.0.1:${port}`, '/open', '', 44])
  const opened = await openLink(port, link)
  assert.equal(opened.status, 200, opened.text)
  const second = await openLink(port, link)
  assert.deepEqual([second.status, second.code], [401, 'E_LINK_INVALID'])
  const { session } = opened.json<{ session: string }>()
  assert.equal((await call({ port, path: '/api/v1/status', headers: bearer(session) })).status, 200)
  assert.equal((await call({ port, path: '/api/v1/status', headers: bearer(hash.slice(1)) })).status, 401)
})

test('nothing that a browser sends by itself signs a request in', async (t) => {
  const { port, socket } = await startTestDaemon(t)
  const opened = await openLink(port, await makeLink({ socketPath: socket }))
  assert.equal(opened.headers['set-cookie'], undefined)
  const { session } = opened.json<{ session: string }>()
  // Browsers send cookies, and remembered names and passwords, to every port of a host and for other pages.
  for (const headers of [
    { cookie: `weft-session-${port}=${session}` },
    { cookie: `session=${session}; authorization=Bearer ${session}` },
    { authorization: `Basic ${Buffer.from(`dashboard:${session}`).toString('base64')}` },
  ] as Record<string, string>[]) {
    assert.equal((await call({ port, path: '/api/v1/status', headers })).code, 'E_UNAUTHENTICATED')
  }
  assert.equal((await call({ port, path: `/api/v1/status?session=${session}` })).code, 'E_UNAUTHENTICATED')
})

test('a session has what the dashboard needs and its maker had, and never administers', async (t) => {
  const daemon = await startTestDaemon(t)
  const { port, socket } = daemon
  const sessionOf = async (where: Caller): Promise<(method: string, path: string) => Promise<Answer>> => {
    const { session } = (await openLink(port, await makeLink(where))).json<{ session: string }>()
    return (method, path) => call({ port, method, path, headers: bearer(session) })
  }
  const full = await sessionOf({ socketPath: socket })
  for (const path of ['/api/v1/status', '/api/v1/members', '/api/v1/objects'])
    assert.equal((await full('GET', path)).status, 200, path)
  for (const [method, path] of [
    ['POST', '/api/v1/tokens'],
    ['GET', '/api/v1/tokens'],
    ['POST', '/api/v1/dashboard/link'],
    ['POST', '/api/v1/stop'],
    ['PUT', '/api/v1/objects'],
    ['GET', '/metrics'],
  ] as const)
    assert.equal((await full(method, path)).code, 'E_SCOPE_MISSING', path)
  const token = await makeToken(daemon, 'limited', ['node:admin', 'network:read'])
  const limited = await sessionOf({ port, headers: bearer(token) })
  assert.equal((await limited('GET', '/api/v1/members')).status, 200)
  assert.equal((await limited('GET', '/api/v1/objects')).code, 'E_SCOPE_MISSING')
})

test('the page of a link is for its user alone, names no secret in its path, and goes with the link', async (t) => {
  const { daemon, home, port, socket } = await startTestDaemon(t)
  const link = await makeLink({ socketPath: socket }, { file: true })
  assert.ok(link.file !== undefined)
  const code = new URL(link.url).hash.slice(1)
  assert.ok(readFileSync(link.file, 'utf8').includes(`content="0;url=${link.url}"`))
  assert.ok(!link.file.includes(code))
  assert.equal(statSync(link.file).mode & 0o777, 0o600)
  assert.equal((await openLink(port, link)).status, 200)
  assert.ok(!existsSync(link.file))
  assert.equal((await makeLink({ socketPath: socket })).file, undefined)
  const left = await makeLink({ socketPath: socket }, { file: true })
  assert.ok(left.file?.startsWith(home) === true && existsSync(left.file))
  await daemon.close()
  assert.ok(!existsSync(left.file))
})

test('hostile HTTP: what is no request is closed, and the daemon goes on', async (t) => {
  const { port } = await startTestDaemon(t)
  const host = `Host: 127.0.0.1:${port}\r\n`
  const attacks = [
    'GARBAGE\r\n\r\n',
    `GET /livez HTTP/9.9\r\n${host}\r\n`,
    `GET /livez HTTP/1.1\r\n${host}X: ${'a'.repeat(20_000)}\r\n\r\n`,
    `POST /api/v1/tokens HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST /api/v1/tokens HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`,
    `POST /api/v1/tokens HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    `GET /livez HTTP/1.1\r\n${host}${host}\r\n`,
    `GET /livez HTTP/1.1\r\n${host}Bad Header: x\r\n\r\n`,
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]),
  ]
  for (const attack of attacks)
    assert.match(await raw(port, attack), /^(HTTP\/1\.1 4\d\d |$)/, attack.toString().slice(0, 60))
  for (const path of [
    'http://evil.example/api/v1/status',
    '//evil.example/livez',
    '/../../../../etc/passwd',
    '/..%2f..%2fetc/passwd',
    '/assets/..%2f..%2fpackage.json',
  ]) {
    assert.match(
      await raw(port, `GET ${path} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`),
      /^HTTP\/1\.1 (4\d\d|503) /,
      path,
    )
  }
  assert.equal((await call({ port, path: '/livez' })).status, 200)
})

test('who is refused at the door may not keep its connection by sending on', async (t) => {
  const { port } = await startTestDaemon(t)
  const head = (request: string, host: string): string =>
    `${request} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n`
  const refused = [
    [head('PUT /api/v1/objects', `127.0.0.1:${port}`), /^HTTP\/1\.1 401 /],
    [head('POST /api/v1/tokens', `127.0.0.1:${port}`), /^HTTP\/1\.1 401 /],
    [head('POST /api/v1/tokens', 'evil.example'), /^HTTP\/1\.1 421 /],
  ] as const
  await Promise.all(
    refused.map(async ([request, answer]) => assert.match(await sentOn(port, request), answer, request)),
  )
})

/** Sends bytes, and one more each 100 ms, until the other side ends it; gives back what came. */
function sentOn(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const drip = setInterval(() => socket.write('x'), 100)
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (part: string) => (text += part))
    // It is broken off while this side still sends.
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(drip)
      resolve(text)
    })
  })
}

/** Sends bytes as they are and gives back all that comes. */
function raw(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes))
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (part: string) => (text += part))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve(text) : reject(error),
    )
    socket.on('close', () => resolve(text))
  })
}
