import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import { type Answer, JSON_TYPE, call, open } from '../support/http.ts'
import { startTestDaemon } from '../support/test-daemon.ts'

const put = (socketPath: string, body: string | Uint8Array, query = '', headers = {}): Promise<Answer> =>
  call({ socketPath, method: 'PUT', path: `/api/v1/objects${query}`, body, headers })

test('what is put comes back byte for byte, with its headers', async (t) => {
  const { socket } = await startTestDaemon(t)
  const bytes = randomBytes(300_000)
  const stored = (await put(socket, bytes, '?name=a%20b&class=small&ttlMs=60000')).json<{
    ref: string
    object: string
    name: string
    class: string
    size: number
    schemaVersion: number
  }>()
  assert.deepEqual([stored.name, stored.class, stored.size, stored.schemaVersion], ['a b', 'small', 300_000, 1])
  const response = await open({ socketPath: socket, path: `/api/v1/object?ref=${encodeURIComponent(stored.ref)}` })
  assert.equal(response.headers['content-length'], '300000')
  assert.equal(response.headers['weft-object'], stored.object)
  const chunks = await response.toArray()
  assert.ok(Buffer.concat(chunks as Buffer[]).equals(bytes))
})

test('an empty body, with or without a type, is an empty object', async (t) => {
  const { socket } = await startTestDaemon(t)
  for (const headers of [{}, { 'content-length': '0' }, JSON_TYPE, { 'transfer-encoding': 'chunked' }]) {
    const answer = await put(socket, '', '', headers)
    assert.deepEqual([answer.status, answer.json()['size']], [200, 0], JSON.stringify(headers))
  }
})

test('the body of a put is never parsed, whatever its type says', async (t) => {
  const { socket } = await startTestDaemon(t)
  const answer = await put(socket, '{not json', '', JSON_TYPE)
  assert.equal(answer.json()['size'], 9)
})

test('no key leaves by the id of an object, nor by the transfers', async (t) => {
  const { socket, storage } = await startTestDaemon(t)
  const { object } = (await put(socket, 'x')).json<{ object: string }>()
  storage.emitter.emit('transfer', {
    id: 't',
    kind: 'put',
    object,
    bytes: 1,
    total: 1,
    state: 'done',
    fault: undefined,
  })
  for (const path of [`/api/v1/objects/${object}/stat`, '/api/v1/transfers']) {
    const answer = await call({ socketPath: socket, path })
    assert.equal(answer.status, 200)
    assert.ok(!answer.text.includes('secret-key'), path)
  }
  assert.equal((await call({ socketPath: socket, path: '/api/v1/objects/none/stat' })).code, 'E_OBJECT_UNKNOWN')
})

test('a removed object leaves the list; its removal tells what its holders signed, and no key', async (t) => {
  const { socket, storage } = await startTestDaemon(t)
  const { object } = (await put(socket, 'x', '?name=a')).json<{ object: string }>()
  const answer = await call({ socketPath: socket, method: 'DELETE', path: `/api/v1/objects/${object}` })
  assert.equal(answer.status, 200)
  const { holders, ...rest } = answer.json<{
    holders: { receipt?: { signature: string }; fault?: { code: string } }[]
  }>()
  assert.deepEqual(
    holders.map(({ receipt, fault }) => receipt?.signature ?? fault?.code),
    ['signature', 'E_NODE_UNREACHABLE'],
  )
  assert.ok(!answer.text.includes('secret-key'))
  assert.deepEqual((await call({ socketPath: socket, path: '/api/v1/objects' })).json()['objects'], [])
  const again = await call({ socketPath: socket, path: `/api/v1/objects/${object}/removal` })
  assert.deepEqual(again.json(), answer.json())
  const { removals } = (await call({ socketPath: socket, path: '/api/v1/removals' })).json<{ removals: unknown[] }>()
  const { schemaVersion: _, ...row } = rest as Record<string, unknown>
  assert.deepEqual(removals, [{ ...row, holders: 2, deleted: 1 }])
  for (const [method, path] of [
    ['DELETE', '/api/v1/objects/none'],
    ['GET', '/api/v1/objects/none/removal'],
  ] as const) {
    const none = await call({ socketPath: socket, method, path })
    assert.deepEqual([none.status, none.code], [404, 'E_OBJECT_UNKNOWN'])
  }
  const cause = 'Its owner removed it.'
  storage.get = async () => {
    throw new WeftError({ code: 'E_OBJECT_REMOVED', cause, fix: 'None.' })
  }
  const gone = await call({ socketPath: socket, path: `/api/v1/object?ref=${encodeURIComponent('weft://n/o#k')}` })
  assert.deepEqual([gone.status, gone.code], [410, 'E_OBJECT_REMOVED'])
})

test('a renewal tells which holders know of it; the same again is had by GET, and neither has a key', async (t) => {
  const { socket } = await startTestDaemon(t)
  const { object } = (await put(socket, 'x', '?name=a')).json<{ object: string }>()
  const path = `/api/v1/objects/${object}/renewal`
  assert.equal((await call({ socketPath: socket, path })).code, 'E_OBJECT_UNKNOWN')
  const renew = (at: string, ttlMs: unknown) =>
    call({ socketPath: socket, method: 'POST', path: at, headers: JSON_TYPE, body: JSON.stringify({ ttlMs }) })
  const answer = await renew(path, 90_000)
  assert.equal(answer.status, 200)
  const { holders, ...rest } = answer.json<{ holders: { state: string; fault?: { code: string } }[] }>()
  assert.deepEqual(
    holders.map(({ state, fault }) => fault?.code ?? state),
    ['renewed', 'E_NODE_UNREACHABLE'],
  )
  const { until, records } = rest as Record<string, unknown>
  assert.deepEqual([until, records], [90_000, { renewed: 1 }])
  assert.ok(!answer.text.includes('secret-key'))
  assert.deepEqual((await call({ socketPath: socket, path })).json(), answer.json())
  const none = await renew('/api/v1/objects/none/renewal', 90_000)
  assert.deepEqual([none.status, none.code], [404, 'E_OBJECT_UNKNOWN'])
  for (const wrong of [undefined, 59_999, 366 * 86_400_000, '1', 1.5]) {
    assert.equal((await renew(path, wrong)).status, 400)
  }
})

test('stat takes the reference in the body', async (t) => {
  const { socket } = await startTestDaemon(t)
  const { ref } = (await put(socket, 'x')).json<{ ref: string }>()
  const answer = await call({
    socketPath: socket,
    method: 'POST',
    path: '/api/v1/object/stat',
    headers: JSON_TYPE,
    body: JSON.stringify({ ref }),
  })
  assert.equal(answer.json()['health'], 'healthy')
})

test('a put that is refused while its body is on the way still gets its answer', async (t) => {
  const { socket, storage } = await startTestDaemon(t)
  storage.refusePut = new WeftError({
    code: 'E_CLASS_UNAVAILABLE',
    cause: 'Too few nodes.',
    fix: 'Wait.',
    retryable: true,
  })
  const answer = await put(socket, randomBytes(20_000_000))
  assert.deepEqual([answer.status, answer.code], [503, 'E_CLASS_UNAVAILABLE'])
})

test('a client that leaves in the middle of a put aborts it', async (t) => {
  const { socket, storage } = await startTestDaemon(t)
  const received = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  storage.gate = gate.promise
  const put = storage.put.bind(storage)
  const ended = Promise.withResolvers<unknown>()
  storage.put = async (source, options) => {
    options?.signal?.addEventListener('abort', () => received.resolve())
    return put(source, options).catch((error: unknown) => {
      ended.resolve(error)
      throw error
    })
  }
  const outgoing = request({
    socketPath: socket,
    method: 'PUT',
    path: '/api/v1/objects',
    headers: { 'content-length': 1_000_000 },
  })
  outgoing.on('error', () => {})
  outgoing.write(randomBytes(100_000))
  await once(outgoing, 'socket')
  // Only once the daemon reads is there something to abort.
  while (storage.received === 0) await new Promise((resolve) => setImmediate(resolve))
  outgoing.destroy()
  await received.promise
  gate.resolve()
  assert.ok((await ended.promise) instanceof Error)
  assert.equal(storage.aborted, 1)
})

test('a slow reader of a put holds the sender back: memory stays flat', async (t) => {
  const { socket, storage } = await startTestDaemon(t)
  const gate = Promise.withResolvers<void>()
  storage.gate = gate.promise
  storage.discard = true
  const outgoing = request({ socketPath: socket, method: 'PUT', path: '/api/v1/objects' })
  const answered = once(outgoing, 'response')
  const chunk = Buffer.alloc(65_536)
  let sent = 0
  // Written until the pipe is full; 64 MiB would mean that nothing holds back.
  while (outgoing.write(chunk) && sent < 64 * 1024 * 1024) {
    sent += chunk.length
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(sent < 16 * 1024 * 1024, `${sent} bytes went into a put that reads nothing`)
  gate.resolve()
  outgoing.end()
  const [response] = (await answered) as [{ statusCode: number; resume(): void }]
  response.resume()
  assert.equal(response.statusCode, 200)
})

test('a get that fails at once is an error; one that fails later is a short body', async (t) => {
  const { socket, storage } = await startTestDaemon(t)
  const { ref } = (await put(socket, randomBytes(1_000_000))).json<{ ref: string }>()
  const path = `/api/v1/object?ref=${encodeURIComponent(ref)}`
  const error = new WeftError({ code: 'E_SHARDS_MISSING', cause: '2 of 3 shards', fix: 'wait', retryable: true })
  storage.failGet = { afterChunks: 0, error }
  const early = await call({ socketPath: socket, path })
  assert.deepEqual([early.status, early.code], [503, 'E_SHARDS_MISSING'])
  storage.failGet = { afterChunks: 8, error }
  const late = await open({ socketPath: socket, path })
  assert.equal(late.headers['content-length'], '1000000')
  await assert.rejects(late.toArray(), { code: 'ECONNRESET' })
})

test('a client that leaves in the middle of a get ends the reading', async (t) => {
  const { socket, storage } = await startTestDaemon(t)
  const ended = Promise.withResolvers<void>()
  storage.get = async () => ({
    size: 1e12,
    body: (async function* () {
      try {
        for (;;) yield new Uint8Array(65_536)
      } finally {
        ended.resolve()
      }
    })(),
  })
  const response = await open({ socketPath: socket, path: '/api/v1/object?ref=weft%3A%2F%2Fa%2Fb%23c' })
  response.once('data', () => response.destroy())
  response.on('error', () => {})
  await ended.promise
})

test('a part of an object comes with 206; whatever else is asked for is the whole', async (t) => {
  const { socket } = await startTestDaemon(t)
  const bytes = randomBytes(1_000)
  const { ref } = (await put(socket, bytes)).json<{ ref: string }>()
  const path = `/api/v1/object?ref=${encodeURIComponent(ref)}`
  const get = async (range: string): Promise<{ response: IncomingMessage; body: Buffer }> => {
    const response = await open({ socketPath: socket, path, headers: { range } })
    return { response, body: Buffer.concat((await response.toArray()) as Buffer[]) }
  }
  for (const [range, from, to] of [
    ['bytes=0-0', 0, 1],
    ['bytes=10-19', 10, 20],
    ['bytes=990-', 990, 1_000],
    ['bytes=500-5000', 500, 1_000],
  ] as const) {
    const { response, body } = await get(range)
    assert.equal(response.statusCode, 206, range)
    assert.equal(response.headers['content-range'], `bytes ${from}-${to - 1}/1000`)
    assert.equal(response.headers['content-length'], String(to - from))
    assert.ok(body.equals(bytes.subarray(from, to)), range)
  }
  for (const range of ['bytes=-5', 'bytes=5-4', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=a-']) {
    const { response, body } = await get(range)
    assert.deepEqual([response.statusCode, body.length], [200, 1_000], range)
    assert.equal(response.headers['accept-ranges'], 'bytes')
  }
  const behind = await call({ socketPath: socket, path, headers: { range: 'bytes=1000-' } })
  assert.deepEqual([behind.status, behind.code], [416, 'E_RANGE'])
})
