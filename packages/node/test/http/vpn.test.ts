import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import { toDidKey } from '@weft/crypto'
import type { Grant } from '../../src/http/scopes.ts'
import type {
  NewTokenAnswer,
  VpnChoicesAnswer,
  VpnExitsAnswer,
  VpnRouteAnswer,
  VpnStatusAnswer,
  VpnVerifyAnswer,
} from '../../src/routes/answers.ts'
import { fakeRoute } from '../support/fake-vpn.ts'
import { JSON_TYPE, call, open } from '../support/http.ts'
import { startTestDaemon } from '../support/test-daemon.ts'

test('up, status, route, exits, down', async (t) => {
  const { socket: socketPath, port } = await startTestDaemon(t)
  const post = async (path: string): Promise<VpnStatusAnswer> =>
    (await call({ socketPath, method: 'POST', path })).json<VpnStatusAnswer>()
  const get = async <T>(path: string): Promise<T> => (await call({ socketPath, path })).json<T>()
  assert.equal((await get<VpnStatusAnswer>('/api/v1/vpn')).state, 'off')
  assert.deepEqual((await get<VpnRouteAnswer>('/api/v1/vpn/route')).legs, [])
  const up = await post('/api/v1/vpn/up')
  assert.deepEqual([up.state, up.proxy], ['connected', { host: '127.0.0.1', port: port + 1 }])
  const route = await get<VpnRouteAnswer>('/api/v1/vpn/route')
  assert.deepEqual(
    [route.state, route.rttMs, route.legs[0]?.hops.map(({ role, latencyMs }) => [role, latencyMs])],
    [
      'connected',
      8,
      [
        ['entry', 1.5],
        ['relay', 2.5],
        ['exit', undefined],
      ],
    ],
  )
  assert.deepEqual(
    route.others.map(({ use, number, state, legs }) => [use, number, state, legs.length]),
    [
      ['tunnel', undefined, 'connecting', 0],
      ['credentials', 1, 'connected', 1],
    ],
  )
  assert.deepEqual((await get<VpnStatusAnswer>('/api/v1/vpn')).others, route.others)
  const [exit] = (await get<VpnExitsAnswer>('/api/v1/vpn/exits')).exits
  assert.equal(exit?.country, 'DE')
  assert.deepEqual(exit.uses, [{ use: 'credentials', number: 1 }])
  assert.equal((await post('/api/v1/vpn/down')).state, 'off')
})

test('reading routes and turning them on and off are scopes of their own', async (t) => {
  const { socket, port } = await startTestDaemon(t)
  const statuses = async (...scopes: Grant[]): Promise<number[]> => {
    const { token } = (
      await call({
        socketPath: socket,
        method: 'POST',
        path: '/api/v1/tokens',
        headers: JSON_TYPE,
        body: JSON.stringify({ name: scopes.join().replaceAll(/\W/g, '-'), scopes }),
      })
    ).json<NewTokenAnswer>()
    const headers = { authorization: `Bearer ${token}` }
    const answers = [
      await call({ port, headers, path: '/api/v1/vpn' }),
      await call({ port, headers, path: '/api/v1/vpn/route' }),
      await call({ port, headers, path: '/api/v1/vpn/exits' }),
      await call({ port, headers, path: '/api/v1/vpn/route/why' }),
      await call({ port, headers, path: '/api/v1/vpn/route/verify', method: 'POST' }),
      await call({ port, headers, path: '/api/v1/vpn/up', method: 'POST' }),
      await call({ port, headers, path: '/api/v1/vpn/down', method: 'POST' }),
    ]
    return answers.map(({ status }) => status)
  }
  assert.deepEqual(await statuses('vpn:read'), [200, 200, 200, 200, 200, 403, 403])
  assert.deepEqual(await statuses('vpn:use'), [403, 403, 403, 403, 403, 200, 200])
  assert.deepEqual(await statuses('vpn:*'), [200, 200, 200, 200, 200, 200, 200])
  assert.deepEqual(await statuses('node:read', 'network:read'), [403, 403, 403, 403, 403, 403, 403])
})

test('a taken port of the proxy is named with its setting and who has it', async (t) => {
  const { socket: socketPath, port, vpn } = await startTestDaemon(t)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(port + 1, '127.0.0.1', resolve))
  t.after(() => server.close())
  vpn.refuse = new WeftError({ code: 'E_PORT_TAKEN', cause: 'another program', fix: 'end it' })
  const { code, text } = await call({ socketPath, method: 'POST', path: '/api/v1/vpn/up' })
  assert.equal(code, 'E_PORT_TAKEN')
  assert.match(
    text,
    new RegExp(`Port ${port + 1} \\(ports\\.base \\+ 1\\) is taken by node .*\\(pid ${process.pid}\\)`),
  )
  assert.match(text, /--base-port/)
})

test('a taken port of DNS is named with its setting, its protocol and the way out', async (t) => {
  const { socket: socketPath, port, vpn } = await startTestDaemon(t)
  vpn.refuse = new WeftError({
    code: 'E_PORT_TAKEN',
    cause: 'another program',
    fix: 'end it',
    details: { port: port + 4, protocol: 'udp' },
  })
  const { code, text } = await call({ socketPath, method: 'POST', path: '/api/v1/vpn/up' })
  assert.equal(code, 'E_PORT_TAKEN')
  assert.match(text, new RegExp(`UDP port ${port + 4} \\(ports\\.base \\+ 4\\) is taken by`))
  assert.match(text, /vpn\.dns/)
})

test('what the VPN lacks is a fault, and keeps the node from being ready', async (t) => {
  const { socket: socketPath, vpn } = await startTestDaemon(t)
  const ready = async (): Promise<number> => (await call({ socketPath, path: '/readyz' })).status
  assert.equal(await ready(), 200)
  vpn.fault = { code: 'E_NO_EXIT', cause: 'No exit.', fix: 'Wait.' }
  assert.equal(await ready(), 503)
  const { faults } = (await call({ socketPath, path: '/api/v1/status' })).json<{ faults: unknown[] }>()
  assert.deepEqual(faults, [vpn.fault])
})

test('routes are kept for those who come back, throughput is not', async (t) => {
  const { socket: socketPath, vpn } = await startTestDaemon(t)
  const stream = await open({ socketPath, path: '/api/v1/events' })
  const start = /id: (.*)\n/.exec(await readUntil(stream, /\n\n/))?.[1] as string
  vpn.emitter.emit('route', { state: 'connected', route: fakeRoute(), fault: undefined })
  vpn.emitter.emit('throughput', fakeRoute().throughput)
  const seen = await readUntil(stream, /event: throughput\n.*\n\n/)
  assert.match(seen, /id: \S+\nevent: route\ndata: {"state":"connected","route":{"legs":\[/)
  assert.match(seen, /\n\nevent: throughput\ndata: {"sentBytesPerSecond":10,/)
  stream.destroy()
  const again = await open({ socketPath, path: '/api/v1/events', headers: { 'last-event-id': start } })
  const missed = await readUntil(again, /event: route\n.*\n\n/)
  assert.doesNotMatch(missed, /throughput\n/)
  again.destroy()
})

test('what happens to a route is told as it happens, of which route, and kept for those who come back', async (t) => {
  const { socket: socketPath, vpn } = await startTestDaemon(t)
  const stream = await open({ socketPath, path: '/api/v1/events' })
  const start = /id: (.*)\n/.exec(await readUntil(stream, /\n\n/))?.[1] as string
  const [event] = fakeRoute().events
  assert.ok(event !== undefined)
  vpn.emitter.emit('routeEvent', { use: 'credentials', number: 2, ...event })
  const seen = await readUntil(stream, /event: route-event\n.*\n\n/)
  assert.match(seen, /data: {"use":"credentials","number":2,"at":2,"kind":"degraded","code":"E_HOP_DEGRADED",/)
  stream.destroy()
  const again = await open({ socketPath, path: '/api/v1/events', headers: { 'last-event-id': start } })
  await readUntil(again, /event: route-event\n.*\n\n/)
  again.destroy()
})

test('a route is verified when that is asked for', async (t) => {
  const { socket: socketPath } = await startTestDaemon(t)
  const answer = await call({ socketPath, method: 'POST', path: '/api/v1/vpn/route/verify' })
  const { legs } = answer.json<VpnVerifyAnswer>()
  assert.deepEqual(
    legs.map(({ use, hops }) => [use, hops.map(({ answered }) => answered)]),
    [['proxy', [true, false]]],
  )
})

test('why the routes are as they are: of a node that is asked for, and of no more members than there may be', async (t) => {
  const { socket: socketPath, vpn } = await startTestDaemon(t)
  const get = (query: string) => call({ socketPath, path: `/api/v1/vpn/route/why${query}` })
  const { legs, guards } = (await get('')).json<VpnChoicesAnswer>()
  assert.deepEqual(vpn.question, { node: undefined, named: 5 })
  assert.deepEqual(
    legs.map(({ use, hops }) => [use, hops.map(({ role, candidates, asked }) => [role, candidates, asked])]),
    [['credentials', [['relay', 3, undefined]]]],
  )
  assert.deepEqual(
    guards.map(({ state, retryAt }) => [state, retryAt]),
    [
      ['ready', undefined],
      ['silent', 5],
      ['unlisted', undefined],
    ],
  )
  const node = toDidKey(new Uint8Array(32).fill(7))
  const asked = (await get(`?named=100&node=${encodeURIComponent(node)}`)).json<VpnChoicesAnswer>()
  assert.deepEqual(vpn.question, { node, named: 100 })
  assert.equal(asked.legs[0]?.hops[0]?.asked?.reason, 'family')
  for (const query of ['?named=101', '?named=-1', '?named=x', '?node=me']) assert.equal((await get(query)).status, 400)
})

async function readUntil(response: IncomingMessage, pattern: RegExp): Promise<string> {
  let text = ''
  for await (const chunk of response.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (pattern.test(text)) return text
  }
  throw new Error(`the stream ended: ${text}`)
}
