import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runWeft, startWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'
import { REF } from '../fixtures/reference.ts'

const missing = { code: 'E_SHARDS_MISSING', cause: 'Segment 0: 2 of 3 needed shards.', fix: 'Bring one back.' }

test('get writes the whole file, refuses one that exists, and takes --force', async (context) => {
  const home = await serveApi(context, (request, response) => {
    assert.equal(request.url, `/api/v1/object?ref=${encodeURIComponent(REF)}`)
    response.writeHead(200, { 'content-length': 5, 'weft-object': 'object' })
    response.end('hello')
  })
  const path = join(home, 'out')
  const get = (...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    runWeft(['get', REF, ...args], { WEFT_HOME: home })
  assert.equal((await get('-o', path)).code, 0)
  assert.equal(readFileSync(path, 'utf8'), 'hello')
  const again = await get('-o', path)
  assert.deepEqual([again.code, again.stderr.split(':')[0]], [1, 'E_FILE_EXISTS'])
  assert.deepEqual(JSON.parse((await get('-o', path, '--force', '--json')).stdout), {
    schemaVersion: 1,
    file: path,
    size: 5,
  })
  assert.equal((await get()).stdout, 'hello')
})

test('a get that cannot be done leaves no file, ends with 1 and says which shards are missing', async (context) => {
  const home = await serveApi(context, (request, response) => {
    if (request.method === 'POST') {
      response.end(JSON.stringify({ health: 'lost', fault: missing }))
      return
    }
    if (request.url?.includes('early') === true) {
      response.statusCode = 503
      response.end(JSON.stringify({ error: missing }))
      return
    }
    response.writeHead(200, { 'content-length': 100 })
    response.write('x'.repeat(40))
    setImmediate(() => request.socket.destroy())
  })
  for (const ref of ['weft://n/early#k', 'weft://n/late#k']) {
    const { code, stderr } = await runWeft(['get', ref, '-o', join(home, 'out')], { WEFT_HOME: home })
    assert.equal(code, 1)
    assert.match(stderr, /E_SHARDS_MISSING: .*Segment 0: 2 of 3 needed shards\.\nFix: Bring one back\./)
    assert.deepEqual(
      readdirSync(home).filter((name) => name.includes('out')),
      [],
    )
  }
})

test('Ctrl-C, SIGTERM and --timeout in the middle of a get leave no file', async (context) => {
  let arrived = Promise.withResolvers<void>()
  const home = await serveApi(context, (_, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('x')
    arrived.resolve()
  })
  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 130],
    [undefined, 6],
  ] as const) {
    arrived = Promise.withResolvers<void>()
    const timeout = signal === undefined ? ['--timeout', '500ms'] : []
    const { child, finished } = startWeft(['get', REF, '-o', join(home, 'out'), ...timeout], { WEFT_HOME: home })
    await arrived.promise
    if (signal !== undefined) child.kill(signal)
    const { code, stderr } = await finished
    assert.equal(code, expected, stderr)
    assert.deepEqual(
      readdirSync(home).filter((name) => name.includes('out')),
      [],
    )
  }
})

test('a reader that goes away is no failure', async (context) => {
  const home = await serveApi(context, (_, response) => {
    response.writeHead(200, { 'content-length': 50_000_000 })
    response.write(Buffer.alloc(50_000_000))
  })
  const { child, finished } = startWeft(['get', REF], { WEFT_HOME: home })
  assert.ok(child.stdout)
  await once(child.stdout, 'data')
  child.stdout.destroy()
  assert.equal((await finished).code, 0)
})

test('get and stat take a reference from standard input, whether it ends or stays open', async (context) => {
  const seen: string[] = []
  const home = await serveApi(context, (request, response) => {
    if (request.method === 'GET') {
      seen.push(request.url ?? '')
      response.writeHead(200, { 'content-length': 5 }).end('hello')
      return
    }
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      seen.push(body)
      response.statusCode = 404
      response.end(JSON.stringify({ error: { code: 'E_OBJECT_NOT_FOUND', cause: 'c', fix: 'f' } }))
    })
  })
  const env = { WEFT_HOME: home }
  assert.equal((await runWeft(['get', '-'], env, REF)).stdout, 'hello')
  const { child, finished } = startWeft(['stat', '-'], env, null)
  child.stdin?.write(` ${REF} \r\nand more`)
  assert.equal((await finished).code, 5)
  assert.deepEqual(seen, [`/api/v1/object?ref=${encodeURIComponent(REF)}`, JSON.stringify({ ref: REF, first: 0 })])
  for (const input of ['', '\n', 'x'.repeat(5_000), `${'x'.repeat(5_000)}\n`]) {
    const { code, stderr } = await runWeft(['get', '-'], env, input)
    assert.deepEqual([code, stderr.split(':')[0]], [2, 'E_USAGE'], input.slice(0, 10))
  }
  const waiting = startWeft(['get', '-', '--timeout', '300ms'], env, null)
  assert.equal((await waiting.finished).code, 6)
})
