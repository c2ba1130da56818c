import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, watch } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { call } from '../support/http.ts'
import { testConfig, testDirectory } from '../support/test-daemon.ts'

const MAIN = fileURLToPath(new URL('../../src/daemon-main.ts', import.meta.url))

interface Spawned {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>
  /** The first line of stdout. */
  readonly said: Promise<Record<string, unknown>>
}

/** The daemon's real process on a home of its own. */
async function spawnDaemon(
  t: TestContext,
  args: readonly string[] = [],
  environment: Record<string, string> = {},
  home?: string,
): Promise<Spawned & { home: string }> {
  const made = await testConfig(t)
  const directory = home ?? made.home
  const child = spawn(
    process.execPath,
    [MAIN, '--home', directory, '--base-port', String(made.config.values['ports.base']), ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    },
  )
  t.after(() => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  const said = Promise.withResolvers<Record<string, unknown>>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    const line = stdout.split('\n')[0] as string
    if (stdout.includes('\n')) said.resolve(JSON.parse(line) as Record<string, unknown>)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }))
  return { child, ended, said: said.promise, home: directory }
}

test('ready is said on stdout; SIGTERM ends cleanly with 0', async (t) => {
  const { child, said, ended, home } = await spawnDaemon(t)
  const ready = await said
  assert.equal(ready['event'], 'ready')
  assert.equal(ready['pid'], child.pid)
  assert.equal((await call({ socketPath: join(home, 'api.sock'), path: '/livez' })).status, 200)
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  assert.deepEqual([code, stderr], [0, ''])
  assert.ok(!existsSync(join(home, 'daemon.json')))
})

test('POST /api/v1/stop ends the process', async (t) => {
  const { said, ended, home } = await spawnDaemon(t)
  await said
  assert.equal((await call({ socketPath: join(home, 'api.sock'), method: 'POST', path: '/api/v1/stop' })).status, 200)
  assert.equal((await ended).code, 0)
})

test('after kill -9 the next daemon starts on the same home', async (t) => {
  const first = await spawnDaemon(t)
  await first.said
  first.child.kill('SIGKILL')
  await first.ended
  assert.ok(existsSync(join(first.home, 'daemon.json')))
  const second = await spawnDaemon(t, [], {}, first.home)
  assert.equal((await second.said)['event'], 'ready')
  second.child.kill('SIGTERM')
  assert.equal((await second.ended).code, 0)
})

test('a lifeline that is cut ends the daemon', async (t) => {
  const path = join(testDirectory(t), 'lifeline.sock')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const connected = once(server, 'connection')
  const { said, ended } = await spawnDaemon(t, ['--lifeline', path])
  const [connection] = (await connected) as [{ destroy(): void }]
  await said
  connection.destroy()
  server.close()
  assert.equal((await ended).code, 0)
})

test('failures: a code, a cause and a fix on stderr, once and without a stack; as JSON where that is asked for', async (t) => {
  const cases: [readonly string[], Record<string, string>, number, string][] = [
    [['--bas-port', '1'], {}, 2, 'E_CONFIG_UNKNOWN'],
    [['--roles', 'mailbox'], {}, 2, 'E_CONFIG_INVALID'],
    [[], { WEFT_PORTS_BAES: '1' }, 2, 'E_CONFIG_UNKNOWN'],
    [['--lifeline', '/nonexistent/socket'], {}, 1, 'E_LIFELINE'],
    [['--network', '/nonexistent/network.json'], {}, 1, 'E_NETWORK_FILE_MISSING'],
  ]
  for (const [args, environment, expected, fault] of cases) {
    const { ended } = await spawnDaemon(t, args, environment)
    const { code, stdout, stderr } = await ended
    assert.deepEqual([stdout, code], ['', expected])
    assert.match(stderr, new RegExp(`^${fault}: .* Fix: .*\n$`))
    assert.ok(!/\n\s+at /.test(stderr))
  }
  const { said, ended } = await spawnDaemon(t, ['--network', '/nonexistent/network.json', '--ready-fd', '1'])
  const { error, event } = (await said) as { event: string; error: { code: string } }
  assert.deepEqual([event, error.code, (await ended).code], ['failed', 'E_NETWORK_FILE_MISSING', 1])
})

test('a second Ctrl-C ends at once, while the first lets a request end', async (t) => {
  const { child, said, ended, home } = await spawnDaemon(t)
  await said
  // A request whose head is not complete holds the daemon for as long as it waits for what is under way.
  const client = connect(join(home, 'api.sock'))
  client.on('error', () => {})
  t.after(() => client.destroy())
  await new Promise<void>((resolve) => client.write('GET /livez HTTP/1.1\r\n', () => resolve()))
  assert.equal((await call({ socketPath: join(home, 'api.sock'), path: '/livez' })).status, 200)
  const stopping = Promise.withResolvers<void>()
  const watcher = watch(home, () => {
    if (!existsSync(join(home, 'daemon.json'))) stopping.resolve()
  })
  child.kill('SIGINT')
  await stopping.promise
  watcher.close()
  child.kill('SIGINT')
  assert.equal((await ended).code, 130)
})
