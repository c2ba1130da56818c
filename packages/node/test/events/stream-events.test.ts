import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { MAX_WAITING } from '../../src/events/stream-events.ts'
import { call, open } from '../support/http.ts'
import { startTestDaemon } from '../support/test-daemon.ts'

/** Reads until the text matches. */
async function readUntil(response: IncomingMessage, pattern: RegExp): Promise<string> {
  let text = ''
  for await (const chunk of response.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (pattern.test(text)) return text
  }
  throw new Error(`the stream ended: ${text}`)
}

test('events arrive as they happen, with ids, and are resumed from the last one', async (t) => {
  const { socket, overlay, storage } = await startTestDaemon(t)
  const stream = await open({ socketPath: socket, path: '/api/v1/events' })
  assert.equal(stream.headers['content-type'], 'text/event-stream')
  const first = await readUntil(stream, /\n\n/)
  const start = /id: (.*)\n/.exec(first)?.[1] as string
  overlay.emitter.emit('map', { epoch: 8, members: 2 })
  const { id } = overlay.memberList[0]!
  overlay.emitter.emit('peer', {
    id,
    state: 'unreachable',
    since: 6,
    rttMs: undefined,
    fault: { code: 'E_NODE_UNREACHABLE', cause: 'c', fix: 'f' },
  })
  overlay.emitter.emit('reach', { state: 'direct', addresses: ['/ip4/192.0.2.1/tcp/1'] })
  overlay.emitter.emit('lease', { state: 'none' })
  storage.emitter.emit('transfer', {
    id: 't',
    kind: 'put',
    object: 'o',
    bytes: 1,
    total: 2,
    state: 'running',
    fault: undefined,
  })
  storage.emitter.emit('transfer', {
    id: 't',
    kind: 'put',
    object: 'o',
    bytes: 2,
    total: 2,
    state: 'done',
    fault: undefined,
  })
  const text = await readUntil(stream, /"state":"done"/)
  assert.match(text, /event: map\ndata: {"epoch":8,"members":2}\n\n/)
  assert.match(text, /event: peer\ndata: .*"unreachable"/)
  assert.match(text, /event: reach\ndata: {"state":"direct","addresses":\["\/ip4\/192\.0\.2\.1\/tcp\/1"\]}\n\n/)
  assert.match(text, /event: lease\ndata: {"state":"none"}\n\n/)
  assert.match(text, /(?<!id: .*\n)event: transfer\ndata: .*"running"/)
  stream.destroy()

  const resumed = await open({ socketPath: socket, path: '/api/v1/events', headers: { 'last-event-id': start } })
  const replay = await readUntil(resumed, /"state":"done"/)
  assert.deepEqual(
    [...replay.matchAll(/event: (\w+)/g)].map(([, name]) => name),
    ['map', 'peer', 'reach', 'lease', 'transfer'],
  )
  resumed.destroy()

  const lost = await open({ socketPath: socket, path: '/api/v1/events', headers: { 'last-event-id': 'otherboot-3' } })
  assert.match(await readUntil(lost, /\n\n/), /^id: .*\nevent: reset\n/)
  lost.destroy()
})

test('the stream ends when the daemon stops', async (t) => {
  const { socket, daemon } = await startTestDaemon(t)
  const stream = await open({ socketPath: socket, path: '/api/v1/events' })
  stream.resume()
  const ended = new Promise((resolve) => stream.once('end', resolve))
  await daemon.close()
  await ended
})

test('a client that does not read is cut off; the daemon keeps a bounded amount for it', async (t) => {
  const { socket, overlay, port } = await startTestDaemon(t)
  const token = (
    await call({
      socketPath: socket,
      method: 'POST',
      path: '/api/v1/tokens',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"e","scopes":["events:read"]}',
    })
  ).json<{ token: string }>().token
  const client = connect(port, '127.0.0.1')
  const begun = new Promise((resolve) => client.once('readable', resolve))
  client.write(`GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  await begun
  const closed = new Promise((resolve) => client.once('close', resolve))
  client.on('error', () => {})
  const fault = { code: 'E_X', cause: 'x'.repeat(10_000), fix: 'y' }
  // The kernel takes some megabytes; then it is the daemon that would have to keep them.
  for (let written = 0; written < 64 * MAX_WAITING; written += 10_000) {
    overlay.emitter.emit('peer', { id: overlay.self, state: 'unreachable', since: 1, rttMs: undefined, fault })
    if (written % 1_000_000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  client.resume()
  await closed
})
