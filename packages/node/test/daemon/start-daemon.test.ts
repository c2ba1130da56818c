import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { WeftError, identifyProcess, toHex } from '@weft/core'
import { x25519KeyPair } from '@weft/crypto'
import type { OverlayOptions } from '@weft/overlay'
import type { VpnInit } from '@weft/vpn'
import { loadConfig } from '../../src/config/load-config.ts'
import { startDaemon } from '../../src/daemon/start-daemon.ts'
import { stateUnwritable } from '../../src/daemon/state-directory.ts'
import { type FakeOverlay, createFakeOverlay } from '../support/fake-overlay.ts'
import { createFakeStorage } from '../support/fake-storage.ts'
import { type FakeVpn, createFakeVpn } from '../support/fake-vpn.ts'
import { JSON_TYPE, call } from '../support/http.ts'
import { freePort, startTestDaemon, testConfig } from '../support/test-daemon.ts'

const none = async (): Promise<never> => {
  throw new Error('the start must fail before this')
}
const { signal } = new AbortController()
const options = { loadComponents: none, onStop: () => {}, signal }

test('daemon.json says who runs and is gone after a clean stop; everything is closed in reverse order', async (t) => {
  const { daemon, home, overlay, storage, vpn } = await startTestDaemon(t)
  const file = JSON.parse(readFileSync(join(home, 'daemon.json'), 'utf8')) as Record<string, unknown>
  assert.deepEqual(
    [file['pid'], file['startTime'], file['ports']],
    [process.pid, identifyProcess(process.pid)?.startTime, daemon.ports],
  )
  assert.equal(typeof file['version'], 'string')
  await daemon.close()
  assert.ok(!existsSync(join(home, 'daemon.json')))
  assert.ok(!existsSync(join(home, 'api.sock')))
  assert.ok(overlay.closed && storage.closed && vpn.closed)
})

test('a second daemon on one home is refused with the pid of the first, and may start after it', async (t) => {
  const first = await startTestDaemon(t)
  const config = await loadConfig(['--home', first.home, '--base-port', String(first.port)], {})
  await assert.rejects(startDaemon({ ...options, config }), (error: unknown) => {
    assert.ok(error instanceof WeftError && error.code === 'E_ALREADY_RUNNING')
    assert.equal(error.details['pid'], process.pid)
    return true
  })
  assert.equal((await call({ socketPath: first.socket, path: '/livez' })).status, 200, 'the first goes on')
  await first.daemon.close()
  await assert.rejects(startDaemon({ ...options, config }), /the start must fail before this/, 'the home is free again')
})

test('a port that is taken is named with its setting and who has it; nothing stays open', async (t) => {
  const { config, home } = await testConfig(t)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(config.values['ports.base'], '127.0.0.1', resolve))
  t.after(() => server.close())
  await assert.rejects(startDaemon({ ...options, config }), (error: unknown) => {
    assert.ok(error instanceof WeftError && error.code === 'E_PORT_TAKEN')
    assert.match(
      error.cause,
      new RegExp(`^Port ${config.values['ports.base']} \\(ports\\.base\\) is taken by node .*\\(pid ${process.pid}\\)`),
    )
    assert.match(error.fix, /--base-port/)
    return true
  })
  assert.ok(!existsSync(join(home, 'api.sock')))
  assert.match(readFileSync(join(home, 'logs', 'daemon.log'), 'utf8'), /"code":"E_PORT_TAKEN"/)
})

test('the port of the overlay is named by its setting, too', async (t) => {
  const { home } = await testConfig(t)
  const config = await loadConfig(
    ['--home', home, '--base-port', '16001', '--public-port', '16011', '--roles', 'storage'],
    {},
  )
  const taken = new WeftError({ code: 'E_PORT_TAKEN', cause: 'listen EADDRINUSE', fix: 'x' })
  const loadComponents = async (): Promise<never> =>
    ({
      createOverlay: () => Promise.reject(taken),
      createStorage: none,
      createVpn: createFakeVpn,
      profileKillSwitch: () => async () => {},
      probes: () => [],
    }) as never
  await assert.rejects(
    startDaemon({ ...options, config, loadComponents }),
    /Port 16011 \(ports\.public\) is taken by .*--public-port/,
  )
})

test('an entry, relay or exit has keys more in its home, and declares their public halves two ports further', async (t) => {
  const { home } = await testConfig(t)
  const given: OverlayOptions[] = []
  let vpn: FakeVpn | undefined
  const start = async (roles: string): Promise<OverlayOptions> => {
    const config = await loadConfig(
      ['--home', home, '--base-port', '16001', '--public-port', '16011', '--roles', roles],
      {},
    )
    const createOverlay = async (init: OverlayOptions): Promise<never> => {
      given.push(init)
      throw new Error('far enough')
    }
    const loadComponents = async () => ({
      createOverlay,
      createStorage: none,
      createVpn: async (init: VpnInit) => (vpn = await createFakeVpn(init)),
      profileKillSwitch: () => async () => {},
      probes: () => [],
    })
    await assert.rejects(startDaemon({ ...options, config, loadComponents }), /far enough/)
    return given.at(-1) ?? assert.fail()
  }
  /** The public half of the only key in a file of the home, or in one of its directory. */
  const keyIn = (name: string): Uint8Array => {
    const path = join(home, name)
    if (statSync(path).isDirectory()) return keyIn(join(name, readdirSync(path)[0] ?? assert.fail()))
    assert.equal(statSync(path).mode & 0o777, 0o600)
    return x25519KeyPair(new Uint8Array(readFileSync(path))).publicKey
  }
  const { packets, onionKeys } = await start('storage')
  assert.deepEqual([packets, onionKeys, existsSync(join(home, 'link.key'))], [undefined, undefined, false])
  const first = await start('storage,exit')
  const [link, onion] = [keyIn('link.key'), keyIn('onion')]
  assert.notDeepEqual(link, onion)
  assert.deepEqual(first.packets, { port: 16_013, linkKey: link, onionKey: onion })
  assert.deepEqual((await start('relay')).packets, first.packets, 'the same keys at every start')

  const source = given.at(-1)?.onionKeys ?? assert.fail()
  assert.deepEqual(source.next(), onion)
  source.certified(onion, Date.now() + 1_000)
  const next = source.next()
  assert.deepEqual(vpn?.onionKeys, [next, onion], 'the packet threads hear of a new one')
  await start('storage')
  assert.deepEqual(
    [existsSync(join(home, 'onion')), keyIn('link.key')],
    [false, link],
    'who carries no packets has none',
  )
})

test('onion keys that are over are erased once the overlay runs', async (t) => {
  const { home } = await testConfig(t)
  const [base, port] = [await freePort(), await freePort()]
  const config = await loadConfig(
    ['--home', home, '--base-port', `${base}`, '--public-port', `${port}`, '--roles', 'relay'],
    {},
  )
  const secret = new Uint8Array(32).fill(3)
  const over = `${toHex(x25519KeyPair(secret.slice()).publicKey)}.1.key`
  mkdirSync(join(home, 'onion'), { mode: 0o700 })
  writeFileSync(join(home, 'onion', over), secret, { mode: 0o600 })
  let atOverlay: readonly string[] = []
  const loadComponents = async () => ({
    createOverlay: (init: OverlayOptions) => {
      atOverlay = readdirSync(join(home, 'onion'))
      return createFakeOverlay(init)
    },
    createStorage: createFakeStorage,
    createVpn: createFakeVpn,
    profileKillSwitch: () => async () => {},
    probes: () => [],
  })
  const daemon = await startDaemon({ ...options, config, loadComponents })
  t.after(() => daemon.close())
  assert.deepEqual(atOverlay, [over], 'a map may have it, for all that is known')
  const left = readdirSync(join(home, 'onion'))
  assert.ok(left.length === 1 && !left.includes(over), left.join(' '))
})

test('the VPN opens before the overlay, where the settings say; a taken UDP port is named by its setting', async (t) => {
  const { home } = await testConfig(t)
  const config = await loadConfig(
    [
      '--home',
      home,
      '--base-port',
      '16001',
      '--public-port',
      '16011',
      '--roles',
      'exit',
      '--exit-allow',
      '10.0.0.0/8:80',
    ],
    { WEFT_RELAY_PADDING: 'standard' },
  )
  const inits: VpnInit[] = []
  const taken = new WeftError({ code: 'E_PORT_TAKEN', cause: 'by another process', fix: 'x' })
  const createVpn = async (init: VpnInit): Promise<never> => {
    inits.push(init)
    throw taken
  }
  const loadComponents = async () => ({
    createOverlay: none,
    createStorage: none,
    createVpn,
    profileKillSwitch: () => async () => {},
    probes: () => [],
  })
  await assert.rejects(
    startDaemon({ ...options, config, loadComponents }),
    /UDP port 16013 \(ports\.public \+ 2\) is taken by another process.*--public-port/,
  )
  const { udp, proxy, roles, relay, exit } = inits[0] as VpnInit
  assert.deepEqual([udp.port, proxy], [16_013, { host: '127.0.0.1', port: 16_002 }])
  assert.deepEqual(roles, { entry: false, relay: false, exit: true })
  assert.deepEqual(relay, { bytesPerSecond: undefined, padding: { most: 'standard', perSecond: 4_000 } })
  assert.deepEqual(exit, { allow: ['10.0.0.0/8:80'], deny: [], own: [], nameServers: [], ip: false })
})

test('a socket file that a killed daemon left behind is no hindrance', async (t) => {
  const { config, home } = await testConfig(t)
  writeFileSync(join(home, 'api.sock'), '')
  writeFileSync(join(home, 'daemon.lock.pid'), '999999')
  await assert.rejects(startDaemon({ ...options, config }), /the start must fail before this/)
})

test('homes that cannot be used', async (t) => {
  const { home } = await testConfig(t)
  const start = async (directory: string): Promise<unknown> =>
    startDaemon({ ...options, config: await loadConfig(['--home', directory], {}) })
  await assert.rejects(start(join(home, 'weft.toml')), { code: 'E_STATE_UNWRITABLE' }, 'a file')
  await assert.rejects(start('/proc/nothing'), { code: 'E_STATE_UNWRITABLE' })
  await assert.rejects(start(join(home, 'x'.repeat(100))), { code: 'E_SOCKET_PATH' })
})

test('a home that others may enter is closed to them', async (t) => {
  const { config, home } = await testConfig(t)
  chmodSync(home, 0o755)
  await assert.rejects(startDaemon({ ...options, config }))
  assert.equal(statSync(home).mode & 0o777, 0o700)
})

test('a network file that is missing or wrong', async (t) => {
  const { config, home } = await testConfig(t)
  writeFileSync(join(home, 'network.json'), '{')
  await assert.rejects(startDaemon({ ...options, config }), { code: 'E_NETWORK_FILE' })
  rmSync(join(home, 'network.json'))
  await assert.rejects(startDaemon({ ...options, config }), { code: 'E_NETWORK_FILE_MISSING' })
})

test('a key file that others may read is refused', async (t) => {
  const { config, home } = await testConfig(t)
  writeFileSync(join(home, 'node.key'), new Uint8Array(32), { mode: 0o644 })
  await assert.rejects(startDaemon({ ...options, config }), { code: 'E_KEY_FILE' })
})

test('while it starts, the API says so', async (t) => {
  const { config, home } = await testConfig(t)
  const loading = Promise.withResolvers<void>()
  const seen = Promise.withResolvers<void>()
  const starting = startDaemon({
    ...options,
    config,
    loadComponents: async () => {
      loading.resolve()
      await seen.promise
      return none()
    },
  })
  await loading.promise
  const answer = await call({ socketPath: join(home, 'api.sock'), path: '/api/v1/status' })
  assert.deepEqual([answer.status, answer.code, answer.headers['retry-after']], [503, 'E_STARTING', '1'])
  seen.resolve()
  await assert.rejects(starting)
})

test('a start that is stopped ends at once and leaves the home free', async (t) => {
  const { config, home } = await testConfig(t)
  const stopping = new AbortController()
  // What it waits for never comes.
  const loadComponents = (): Promise<never> => {
    stopping.abort()
    return new Promise(() => {})
  }
  await assert.rejects(startDaemon({ ...options, config, loadComponents, signal: stopping.signal }), {
    code: 'E_ABORTED',
  })
  assert.ok(!existsSync(join(home, 'api.sock')))
  assert.match(readFileSync(join(home, 'logs', 'daemon.log'), 'utf8'), /the daemon stops while it starts/)
  await assert.rejects(startDaemon({ ...options, config }), /the start must fail before this/, 'the home is free')
})

test('a start that is stopped between its parts closes those that it has', async (t) => {
  const { config } = await testConfig(t)
  const stopping = new AbortController()
  let overlay: FakeOverlay | undefined
  await assert.rejects(
    startDaemon({
      ...options,
      config,
      signal: stopping.signal,
      loadComponents: async () => ({
        createOverlay: async (init) => {
          overlay = await createFakeOverlay(init)
          stopping.abort()
          return overlay
        },
        createStorage: none,
        createVpn: createFakeVpn,
        profileKillSwitch: () => async () => {},
        probes: () => [],
      }),
    }),
    { code: 'E_ABORTED' },
  )
  assert.ok(overlay?.closed)
})

test('a reference never reaches the log', async (t) => {
  const { socket, home, storage } = await startTestDaemon(t, '[log]\nlevel = "debug"')
  const ref = 'weft://wtestnetwork/object0#very-secret-key'
  storage.get = () => Promise.reject(new WeftError({ code: 'E_OBJECT_NOT_FOUND', cause: 'none', fix: 'none' }))
  await call({ socketPath: socket, path: `/api/v1/object?ref=${encodeURIComponent(ref)}` })
  await call({ socketPath: socket, path: `/api/v1/nothing?ref=${encodeURIComponent(ref)}` })
  await call({ socketPath: socket, path: '/open?code=very-secret-code' })
  await call({
    socketPath: socket,
    method: 'POST',
    path: '/open',
    headers: JSON_TYPE,
    body: JSON.stringify({ code: 'very-secret-code' }),
  })
  await call({
    socketPath: socket,
    path: '/livez',
    headers: { authorization: 'Bearer very-secret-token', cookie: 'weft=very-secret-cookie' },
  })
  const log = readFileSync(join(home, 'logs', 'daemon.log'), 'utf8')
  assert.match(log, /"route":"\/api\/v1\/object"/)
  assert.ok(!log.includes('very-secret'), log)
})

test('a full disk is told as such, whatever met it first', () => {
  for (const error of [
    Object.assign(new Error('no space left'), { code: 'ENOSPC' }),
    Object.assign(new Error('database or disk is full'), { errcode: 13 }),
  ]) {
    assert.equal(stateUnwritable('/home', error).code, 'E_DISK_FULL')
  }
  assert.equal(stateUnwritable('/home', new Error('odd')).code, 'E_STATE_UNWRITABLE')
})
