import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runWeft, startWeft } from './fixtures/run-weft.ts'
import { serveApi } from './fixtures/serve-api.ts'

const REF = 'weft://wnet/object#key'
const missing = { code: 'E_SHARDS_MISSING', cause: 'Segment 0: 2 of 3 needed shards.', fix: 'Bring one back.' }

test('put streams a file with its length and prints the reference alone to stdout', async (context) => {
  const seen: { url?: string | undefined; length?: string | undefined; body: string }[] = []
  const home = await serveApi(context, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      seen.push({ url: request.url, length: request.headers['content-length'], body })
      response.end(
        JSON.stringify({
          schemaVersion: 1,
          ref: REF,
          object: 'object',
          name: 'n',
          size: body.length,
          class: 'tiny',
          createdAt: 0,
          expiresAt: 0,
        }),
      )
    })
  })
  writeFileSync(join(home, 'file.txt'), 'hello')
  const plain = await runWeft(['put', join(home, 'file.txt'), '--class', 'tiny', '--ttl', '1h'], { WEFT_HOME: home })
  assert.deepEqual([plain.code, plain.stdout], [0, `${REF}\n`])
  const piped = await runWeft(['put', '-', '--json'], { WEFT_HOME: home }, 'from stdin')
  assert.equal((JSON.parse(piped.stdout) as { ref: string }).ref, REF)
  assert.deepEqual(seen, [
    { url: '/api/v1/objects?class=tiny&ttlMs=3600000&name=file.txt', length: '5', body: 'hello' },
    { url: '/api/v1/objects?', length: undefined, body: 'from stdin' },
  ])
})

test('a file that is not there, and a directory, are told before anything is sent', async (context) => {
  const home = await serveApi(context, () => assert.fail('nothing may be sent'))
  const none = await runWeft(['put', join(home, 'none')], { WEFT_HOME: home })
  assert.deepEqual([none.code, none.stderr.split(':')[0]], [5, 'E_FILE_NOT_FOUND'])
  const directory = await runWeft(['put', home], { WEFT_HOME: home })
  assert.deepEqual([directory.code, /tar -c/.test(directory.stderr)], [2, true])
})

test('Ctrl-C in the middle of a put breaks the upload off', async (context) => {
  const { promise: started, resolve: start } = Promise.withResolvers<void>()
  const { promise: broken, resolve: breakOff } = Promise.withResolvers<void>()
  const home = await serveApi(context, (request) => {
    request.once('data', () => start())
    request.once('error', () => breakOff())
  })
  writeFileSync(join(home, 'file'), Buffer.alloc(64 * 1024 * 1024))
  const { child, finished } = startWeft(['put', join(home, 'file')], { WEFT_HOME: home })
  await started
  child.kill('SIGINT')
  await broken
  const { code, stdout, stderr } = await finished
  assert.deepEqual([code, stdout], [130, ''])
  assert.match(stderr, /E_INTERRUPTED/)
})

test('a put from a pipe that stays open ends when it is interrupted or refused', async (context) => {
  let arrived = Promise.withResolvers<void>()
  const home = await serveApi(context, (request, response) => {
    request.once('data', () => {
      arrived.resolve()
      if (request.url?.includes('refused') !== true) return
      response.writeHead(503, { connection: 'close' })
      response.end(JSON.stringify({ error: { code: 'E_CLASS_UNAVAILABLE', cause: 'c', fix: 'f' } }))
    })
  })
  for (const [name, expected] of [
    ['refused', 1],
    ['interrupted', 130],
  ] as const) {
    arrived = Promise.withResolvers<void>()
    const { child, finished } = startWeft(['put', '-', '--name', name], { WEFT_HOME: home }, null)
    child.stdin?.write('some')
    await arrived.promise
    if (name === 'interrupted') child.kill('SIGINT')
    assert.equal((await finished).code, expected)
  }
})

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

test('check lists what is wrong and ends with 1', async (context) => {
  const fault = { code: 'E_MAP_STALE', cause: 'No map for a while.', fix: 'Look at the validators.' }
  const home = await serveApi(context, (_, response) => {
    response.statusCode = 503
    response.end(
      JSON.stringify({
        ready: false,
        checks: [
          { name: 'state', ok: true },
          { name: 'map', ok: false, fault },
        ],
      }),
    )
  })
  const { code, stdout, stderr } = await runWeft(['check'], { WEFT_HOME: home })
  assert.equal(code, 1)
  assert.match(stdout, /ok {4}state\nFAIL {2}map\n {2}E_MAP_STALE: No map for a while\.\n {4}Fix: Look/)
  assert.match(stderr, /^E_CHECK_FAILED: 1 checks failed: map\./)
})

test('init writes settings that the daemon accepts, and never over others', async (context) => {
  const home = await serveApi(context, () => {})
  const init = (...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    runWeft(['init', '--home', home, ...args])
  const wrong = await init('--base-port', 'x')
  assert.equal(wrong.code, 2)
  assert.ok(!existsSync(join(home, 'weft.toml')))
  assert.equal((await init('--preset', 'regular', '--name', 'mine', '--base-port', '9000')).code, 0)
  assert.match(
    readFileSync(join(home, 'weft.toml'), 'utf8'),
    /\[node\]\n# .*\nname = "mine"\n# .*\npreset = "regular"\n\n\[ports\]\n# .*\nbase = 9000\n/,
  )
  const again = await init()
  assert.deepEqual([again.code, again.stderr.split(':')[0]], [1, 'E_ALREADY_INITIALISED'])
})
