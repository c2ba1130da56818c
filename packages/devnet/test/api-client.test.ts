import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ApiClient, ApiError } from '@weft/devnet'
import { temporaryDirectory } from './fixtures/temporary-directory.ts'

async function serve(context: TestContext, listener: RequestListener): Promise<{ api: ApiClient; server: Server }> {
  const home = temporaryDirectory(context)
  const server = createServer(listener).listen(join(home, 'api.sock'))
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { api: new ApiClient(home), server }
}

test('an answer comes as JSON, a fault as an ApiError with its status', async (context) => {
  const { api } = await serve(context, (request, response) => {
    response.statusCode = request.url === '/ok' ? 200 : 404
    response.end(
      JSON.stringify(
        request.url === '/ok'
          ? { a: 1 }
          : { error: { code: 'E_X', cause: 'c', fix: 'f', retryable: true, details: { n: 1 } } },
      ),
    )
  })
  assert.deepEqual(await api.json('GET', '/ok'), { a: 1 })
  await assert.rejects(api.json('GET', '/other'), (error: ApiError) => {
    assert.ok(error instanceof ApiError)
    assert.deepEqual(
      [error.status, error.code, error.cause, error.fix, error.retryable, error.details],
      [404, 'E_X', 'c', 'f', true, { n: 1 }],
    )
    return true
  })
})

test('an answer that makes no sense is told as such', async (context) => {
  const { api } = await serve(context, (_, response) => {
    response.statusCode = 500
    response.end('<html>')
  })
  await assert.rejects(api.json('GET', '/'), { code: 'E_API_ANSWER' })
})

test('no daemon, and a daemon that breaks off, have codes of their own', async (context) => {
  await assert.rejects(new ApiClient(temporaryDirectory(context)).json('GET', '/'), { code: 'E_DAEMON_NOT_RUNNING' })
  assert.throws(() => new ApiClient(`/${'h'.repeat(120)}`), {
    code: 'E_SOCKET_PATH',
    fix: /at least \d+ bytes shorter/,
  })
  const { api } = await serve(context, (request) => request.socket.destroy())
  await assert.rejects(api.json('GET', '/'), { code: 'E_DAEMON_GONE' })
  const half = await serve(context, (request, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('{"a":')
    setImmediate(() => request.socket.destroy())
  })
  await assert.rejects(half.api.json('GET', '/'), { code: 'E_DAEMON_GONE' })
})

test('a short body is never taken for the whole', async (context) => {
  const { api } = await serve(context, (request, response) => {
    response.writeHead(200, { 'content-length': 100, 'weft-object': 'o' })
    response.write('x'.repeat(40))
    setImmediate(() => request.socket.destroy())
  })
  const { size, object, body } = await api.download('/')
  assert.deepEqual([size, object], [100, 'o'])
  await assert.rejects(Array.fromAsync(body), (error: { code: string; details: unknown }) => {
    assert.equal(error.code, 'E_BODY_TRUNCATED')
    assert.deepEqual(error.details, { received: 40, size: 100 })
    return true
  })
})

test('an upload streams; the answer before its end wins over the broken pipe', async (context) => {
  const { api } = await serve(context, (request, response) => {
    if (request.url === '/refuse') {
      response.writeHead(503, { connection: 'close' })
      response.end(JSON.stringify({ error: { code: 'E_CLASS_UNAVAILABLE', cause: 'c', fix: 'f' } }))
      return
    }
    let bytes = 0
    request.on('data', (chunk: Buffer) => (bytes += chunk.length))
    request.on('end', () => response.end(JSON.stringify({ bytes, length: request.headers['content-length'] ?? null })))
  })
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 100; i++) yield await Promise.resolve(new Uint8Array(10_000))
  }
  assert.deepEqual(await api.upload('/', { source: source(), size: 1_000_000 }), {
    bytes: 1_000_000,
    length: '1000000',
  })
  assert.deepEqual(await api.upload('/', { source: source() }), { bytes: 1_000_000, length: null })
  await assert.rejects(api.upload('/refuse', { source: source() }), { code: 'E_CLASS_UNAVAILABLE' })
})

test('an upload that is refused early does not ask for the connection to be closed, reads why, and sends no more', async (context) => {
  const asked: (string | undefined)[] = []
  const { api, server } = await serve(context, (request, response) => {
    asked.push(request.headers.connection)
    response.statusCode = 507
    response.end(JSON.stringify({ error: { code: 'E_DISK_FULL', cause: 'c', fix: 'f' } }))
  })
  const closed = once(server, 'connection').then(([socket]) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    // The request that is cut is an error to the server first.
    void (socket as Socket).once('close', () => resolve())
    return promise
  })
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) yield await Promise.resolve(new Uint8Array(10_000))
  }
  await assert.rejects(api.upload('/', { source: source() }), { code: 'E_DISK_FULL', status: 507 })
  await closed
  assert.deepEqual(asked, ['keep-alive'])
})

test('a source that fails breaks the upload off and is the reason', async (context) => {
  const { promise: broken, resolve } = Promise.withResolvers<void>()
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  const { api } = await serve(context, (request) => {
    request.once('data', () => arrive())
    request.on('error', () => resolve())
  })
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(new Uint8Array(1_000))
    await arrived
    throw new RangeError('the disk')
  }
  await assert.rejects(api.upload('/', { source: source(), size: 10_000 }), { name: 'RangeError', message: 'the disk' })
  await broken
})

test('aborting ends a call, an upload, a download and the events', async (context) => {
  const { api } = await serve(context, (request, response) => {
    request.resume()
    if (request.url === '/download' || request.url === '/api/v1/events') {
      response.writeHead(200, { 'content-length': 100, 'content-type': 'text/event-stream' })
      response.write('data: x\n\n')
    }
  })
  const aborted = async (task: (signal: AbortSignal) => Promise<unknown>): Promise<void> => {
    const controller = new AbortController()
    const running = assert.rejects(task(controller.signal), { code: 'E_ABORTED' })
    setImmediate(() => setImmediate(() => controller.abort()))
    await running
  }
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      await new Promise(setImmediate)
      yield new Uint8Array(10)
    }
  }
  await aborted((signal) => api.json('GET', '/', undefined, { signal }))
  await aborted((signal) => api.upload('/', { source: endless() }, { signal }))
  await aborted(async (signal) => Array.fromAsync((await api.download('/download', { signal })).body))
  await aborted((signal) => Array.fromAsync(api.events({ signal })))
})

test('a stream of unknown length ends whole, or says that it broke off', async (context) => {
  const { api } = await serve(context, (request, response) => {
    response.writeHead(200, { 'weft-expected-bytes': 7 })
    response.write('hello')
    if (request.url === '/whole') response.end()
    else setImmediate(() => request.socket.destroy())
  })
  const { expected, body } = await api.downloadStream('/whole')
  assert.equal(expected, 7)
  assert.equal(Buffer.concat(await Array.fromAsync(body)).toString(), 'hello')
  const half = await api.downloadStream('/half')
  await assert.rejects(Array.fromAsync(half.body), { code: 'E_STREAM_TRUNCATED' })
})
