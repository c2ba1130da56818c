import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { identifyProcess } from '@weft/core'
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
  assert.match(stderr, /^E_CHECK_FAILED: 1 check failed: map\./)
  const json = await runWeft(['check', '--json'], { WEFT_HOME: home })
  const document = JSON.parse(json.stdout) as { ok: boolean; checks: { name: string }[]; error: { code: string } }
  assert.deepEqual(
    [json.code, document.ok, document.checks.map(({ name }) => name), document.error.code],
    [1, false, ['state', 'map'], 'E_CHECK_FAILED'],
  )
})

test('check --wait that runs out of time ends with 6 and tells what was seen last', async (context) => {
  const fault = { code: 'E_MAP_STALE', cause: 'No map for a while.', fix: 'Look at the validators.' }
  const home = await serveApi(context, (_, response) => {
    response.statusCode = 503
    response.end(JSON.stringify({ ready: false, checks: [{ name: 'map', ok: false, fault }] }))
  })
  const { code, stdout, stderr } = await runWeft(['check', '--wait', '--timeout', '300ms', '--json'], {
    WEFT_HOME: home,
  })
  const document = JSON.parse(stdout) as { ok: boolean; checks: { name: string }[]; error: { code: string } }
  assert.deepEqual(
    [code, document.ok, document.checks.map(({ name }) => name), document.error.code],
    [6, false, ['map'], 'E_TIMEOUT'],
  )
  assert.match(stderr, /^E_TIMEOUT: .* 0\.3 s\. 1 check failed: map\.\nFix: Look at the validators\./)
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

test('dashboard hands the browser a file and never the link', async (context) => {
  const asked: string[] = []
  const { promise: called, resolve: call } = Promise.withResolvers<string>()
  const home = await serveApi(context, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      if (request.url === '/called') return call(body)
      asked.push(body)
      const { file } = JSON.parse(body) as { file: boolean }
      const answer = { schemaVersion: 1, url: 'http://127.0.0.1:1/open#CODE' }
      return response.end(JSON.stringify({ ...answer, ...(file && { file: join(home, 'a b.html') }) }))
    })
  })
  // In the place of the programs that open a browser: they tell how they were called.
  const tell = `require('node:http').request({ socketPath: '${home}/api.sock', path: '/called', method: 'POST' })`
  const opener = `#!${process.execPath}\n${tell}.on('error', () => {}).end(process.argv.slice(2).join(' '))\n`
  for (const name of ['xdg-open', 'open']) writeFileSync(join(home, name), opener, { mode: 0o755 })
  const env = { WEFT_HOME: home, DISPLAY: ':0', PATH: home }
  const opened = await runWeft(['dashboard'], env)
  assert.equal(opened.stdout, 'http://127.0.0.1:1/open#CODE\n', opened.stderr)
  assert.equal(await called, `file://${home}/a%20b.html`)
  for (const args of [['--no-open'], ['--json']]) assert.equal((await runWeft(['dashboard', ...args], env)).code, 0)
  assert.deepEqual(asked, ['{"file":true}', '{"file":false}', '{"file":false}'])
})

test('token list prints the ids that token revoke takes', async (context) => {
  const token = { id: 'id123456', name: 'grafana', scopes: ['metrics:read'], createdAt: 1, expiresAt: 2 }
  const home = await serveApi(context, (_, response) => {
    response.end(JSON.stringify({ schemaVersion: 1, tokens: [token] }))
  })
  const { code, stdout } = await runWeft(['token', 'list'], { WEFT_HOME: home })
  assert.equal(code, 0)
  assert.match(stdout, /^ID +NAME .*\nid123456 +grafana /)
})

test('an object without segments is said to be kept in its record', async (context) => {
  const object = { object: 'o', size: 10, class: { name: 'tiny', k: 3, n: 9 }, segmentCount: 0, segments: [] }
  const home = await serveApi(context, (_, response) => {
    response.end(
      JSON.stringify({ schemaVersion: 1, ...object, copies: 7, health: 'healthy', relaxed: [], expiresAt: 1 }),
    )
  })
  const { code, stdout } = await runWeft(['stat', REF], { WEFT_HOME: home })
  assert.equal(code, 0)
  assert.match(stdout, /kept +whole in its record, on at least 7 nodes: it has no shards/)
  assert.doesNotMatch(stdout, /shards restore/)
})

test('devnet kill and restart do nothing when one of the names is wrong', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-kill-'))
  const victim = spawn(process.execPath, ['-e', "console.log('up'); setInterval(() => {}, 1000)"])
  context.after(() => {
    victim.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })
  await once(victim.stdout, 'data')
  const home = join(directory, 'storage1')
  mkdirSync(home)
  const node = { name: 'storage1', id: 'did:key:zOne', roles: ['storage'], client: false, home, ports: {} }
  const records = { schemaVersion: 1, networkName: 'x', seed: 'x', basePort: 28500, createdAt: 1, nodes: [node] }
  writeFileSync(join(directory, 'devnet.json'), JSON.stringify(records))
  writeFileSync(join(home, 'process.json'), JSON.stringify(identifyProcess(victim.pid ?? 0)))
  for (const command of ['kill', 'restart']) {
    const { code, stdout, stderr } = await runWeft(['devnet', command, 'storage1', 'nosuch', '--dir', directory])
    assert.deepEqual([code, stdout], [5, ''], stderr)
    assert.match(stderr, /no node 'nosuch'/)
  }
  assert.notEqual(identifyProcess(victim.pid ?? 0), undefined, 'the node that was named first still runs')
  const { stdout } = await runWeft(['devnet', 'kill', 'storage1', 'did:key:zOne', '--dir', directory])
  assert.equal(stdout, `Killed storage1 (process ${victim.pid}).\n`)
  const again = await runWeft(['devnet', 'kill', 'storage1', '--dir', directory])
  assert.ok(again.stderr.includes(`weft devnet restart storage1 --dir ${directory}`), again.stderr)
})

test("a node of one's own never lands in a devnet that runs", async (context) => {
  const state = mkdtempSync(join(tmpdir(), 'weft-own-'))
  context.after(() => rmSync(state, { recursive: true, force: true }))
  const devnet = join(state, 'weft/devnet')
  const home = join(devnet, 'client')
  mkdirSync(home, { recursive: true })
  // A devnet whose client is this very process.
  const node = { name: 'client', id: 'did:key:zClient', roles: [], client: true, home, ports: {} }
  const records = { schemaVersion: 1, networkName: 'x', seed: 'x', basePort: 28500, createdAt: 1, nodes: [node] }
  writeFileSync(join(devnet, 'devnet.json'), JSON.stringify(records))
  writeFileSync(join(home, 'process.json'), JSON.stringify(identifyProcess(process.pid)))
  const env = { XDG_STATE_HOME: state }
  // The other commands do speak to it.
  const status = await runWeft(['status'], env)
  assert.ok(status.stderr.includes(home), status.stderr)
  const before = readdirSync(home)
  const create = ['network', 'create', 'mine', '--address', '/ip4/192.0.2.1/tcp/4780', '--rotate', '12h', '--json']
  const created = await runWeft(create, env)
  assert.equal(created.code, 0, created.stderr)
  const { path } = JSON.parse(created.stdout) as { path: string }
  assert.equal((JSON.parse(readFileSync(path, 'utf8')) as { rotateMs: number }).rotateMs, 43_200_000)
  const init = await runWeft(['init', '--json'], env)
  assert.equal((JSON.parse(init.stdout) as { home: string }).home, join(state, 'weft'), init.stderr)
  // A daemon that cannot start: what matters is where it tried.
  const start = await runWeft(['start', '--detach', '--roles', 'nonsense'], env)
  assert.notEqual(start.code, 0)
  assert.ok(existsSync(join(state, 'weft/logs')))
  assert.deepEqual(readdirSync(home), before)
})

test('a start in the foreground that fails says why once', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-start-'))
  context.after(() => rmSync(directory, { recursive: true }))
  const args = ['start', '--home', join(directory, 'home'), '--network', '/nonexistent/network.json']
  const { code, stdout, stderr } = await runWeft(args)
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /^E_NETWORK_FILE_MISSING: .* Fix: .*\n$/)
})

test('init writes settings that the daemon accepts, and never over others', async (context) => {
  const home = await serveApi(context, () => {})
  const init = (...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    runWeft(['init', '--home', home, ...args])
  const none = await init('--network', '/nonexistent/network.json')
  assert.equal(none.code, 1)
  assert.match(
    none.stderr,
    /^E_NETWORK_FILE_MISSING: There is no network file at \/nonexistent\/network\.json.\nFix: .*--network/,
  )
  assert.ok(!existsSync(join(home, 'weft.toml')))
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

test('a node has an id before it has a network, and takes the file of one later', async (context) => {
  const place = mkdtempSync(join(tmpdir(), 'weft-id-'))
  context.after(() => rmSync(place, { recursive: true }))
  const run = async (...args: string[]): Promise<{ code: number | null; answer: Record<string, unknown> }> => {
    const { code, stdout } = await runWeft([...args, '--json'])
    return { code, answer: JSON.parse(stdout) as Record<string, unknown> }
  }
  const home = join(place, 'home')
  const none = await run('id', '--home', home)
  assert.deepEqual(
    [none.code, (none.answer['error'] as { fix: string }).fix.startsWith('Make one: weft init')],
    [3, true],
  )
  const { answer: made } = await run('init', '--home', home, '--roles', 'validator,storage', '--family', 'mine')
  const { answer: ids } = await run('id', '--home', home)
  assert.deepEqual([ids['node'], ids['person'], made['networkFile']], [made['node'], null, null])

  // Of the first home its key and its family go into the network; of the other its id.
  const other = join(place, 'other')
  const { answer: otherMade } = await run('init', '--home', other)
  const validator = `${String(otherMade['node'])}=/ip4/192.0.2.2/tcp/4780;theirs`
  const at = ['--address', '/ip4/192.0.2.1/tcp/4780']
  const { answer: created } = await run('network', 'create', 'club', ...at, '--validator', validator, '--home', home)
  assert.deepEqual([created['validator'], created['validators']], [made['node'], 2])
  const path = String(created['path'])
  const file = JSON.parse(readFileSync(path, 'utf8')) as { validators: { id: string; family: string }[] }
  assert.deepEqual(
    file.validators.map(({ id, family }) => [id, family]),
    [
      [made['node'], 'mine'],
      [otherMade['node'], 'theirs'],
    ],
  )
  const wrong = await run('init', '--home', other, '--network', path, '--network-id', 'wother')
  assert.deepEqual([wrong.code, (wrong.answer['error'] as { code: string }).code], [1, 'E_NETWORK_MISMATCH'])
  const taken = await run('init', '--home', other, '--network', path, '--network-id', String(created['id']))
  assert.deepEqual(taken.answer['network'], { id: created['id'], name: 'club' })
  assert.equal(taken.answer['node'], otherMade['node'])
  assert.equal((await run('init', '--home', other)).code, 1)

  const fresh = join(place, 'fresh')
  for (const nothing of ['/dev/null', join(home, 'weft.toml')]) {
    const refused = await run('init', '--home', fresh, '--network', nothing)
    assert.deepEqual([refused.code, (refused.answer['error'] as { code: string }).code], [1, 'E_NETWORK_FILE'])
  }
  assert.ok(!existsSync(fresh))
})

test('ping tells the median of the round trips', async (context) => {
  const times = [9, 1, 4, 2]
  const home = await serveApi(context, (_, response) => {
    response.end(JSON.stringify({ schemaVersion: 1, rttMs: times.shift() }))
  })
  const id = 'did:key:z6MkmY2UUbsZzLXQHfJiJrc7tSEmqixtUChaa5ujugeAnMvH'
  const { stdout } = await runWeft(['ping', id, '--count', '4', '--json'], { WEFT_HOME: home })
  assert.deepEqual(JSON.parse(stdout), { schemaVersion: 1, id, rttMs: 3, times: [9, 1, 4, 2] })
})

test('who knows no members reads why at once', async (context) => {
  const fault = { code: 'E_NETWORK_MISMATCH', cause: 'Of another network.', fix: 'Get the file.' }
  const home = await serveApi(context, ({ url }, response) => {
    response.end(JSON.stringify(url === '/api/v1/status' ? { map: { fault } } : { peers: [] }))
  })
  const { stderr } = await runWeft(['peers'], { WEFT_HOME: home })
  assert.match(stderr, /E_NETWORK_MISMATCH: Of another network\.\n.*Get the file\./)
})
