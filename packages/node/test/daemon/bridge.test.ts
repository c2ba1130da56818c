import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Bridge, BRIDGES_FILE, formatBridgeLine, parseBridgeLine } from '@weft/bridge'
import { isWeftError, systemClock, toHex } from '@weft/core'
import { createWebCertificate, createWebKey } from '@weft/overlay'
import { bridgeIdentity } from '../../src/daemon/bridge-identity.ts'
import { startDaemon } from '../../src/daemon/start-daemon.ts'
import { openStateDirectory } from '../../src/daemon/state-directory.ts'
import { call } from '../support/http.ts'
import { freePort, startTestDaemon, testConfig } from '../support/test-daemon.ts'

const NAME = 'www.example.org'
const failsWith = (code: string) => (error: unknown) => isWeftError(error, code)

async function bridgeToml(more = ''): Promise<string> {
  return `[bridge]\nenabled = true\nport = ${await freePort()}\nserver_name = "${NAME}"\n${more}[network]\nlisten_host = "127.0.0.1"\n`
}

const LINE = formatBridgeLine({
  endpoint: { host: '192.0.2.1', port: 443 },
  pin: new Uint8Array(32),
  id: new Uint8Array(8),
  secret: new Uint8Array(32).fill(3),
  serverName: '',
} satisfies Bridge)

test('a bridge says the same of itself after a start, in the name that was chosen', async (t) => {
  const { config, home } = await testConfig(t, await bridgeToml())
  const paths = openStateDirectory(home)
  const first = bridgeIdentity(config, paths, systemClock.now())
  const shown = new X509Certificate(first.certificate)
  assert.equal(shown.subject, `CN=${NAME}`)
  assert.equal(shown.subjectAltName, `DNS:${NAME}`)
  assert.ok(shown.verify(shown.publicKey) && shown.checkHost(NAME) === NAME)
  assert.deepEqual(bridgeIdentity(config, paths, systemClock.now()), first)
  for (const path of [paths.bridgeKey, paths.bridgeCertificate]) assert.equal(statSync(path).mode & 0o777, 0o600)
  // Long after: another certificate of the same key.
  const later = bridgeIdentity(config, paths, systemClock.now() + 700 * 86_400_000)
  assert.equal(later.key, first.key)
  assert.notEqual(later.certificate, first.certificate)
  assert.ok(new X509Certificate(later.certificate).publicKey.equals(shown.publicKey))
})

test("a bridge shows its operator's own certificate, where there is one", async (t) => {
  const { config, home } = await testConfig(
    t,
    await bridgeToml('certificate = "own.crt"\ncertificate_key = "own.key"\n'),
  )
  const paths = openStateDirectory(home)
  assert.throws(() => bridgeIdentity(config, paths, 0), failsWith('E_CONFIG_INVALID'))
  const key = createWebKey()
  const certificate = createWebCertificate(key, 'own.example.org', systemClock.now())
  writeFileSync(join(home, 'own.crt'), certificate)
  writeFileSync(join(home, 'own.key'), key)
  assert.deepEqual(bridgeIdentity(config, paths, 0), { certificate, key })
})

async function invite(socketPath: string, body: object) {
  const headers = { 'content-type': 'application/json' }
  return call({ socketPath, method: 'POST', path: '/api/v1/bridge/invitations', headers, body: JSON.stringify(body) })
}

test('an invitation is a line with the key, the address and the name of the bridge', async (t) => {
  const { socket, daemon, home } = await startTestDaemon(t, await bridgeToml('address = "192.0.2.9"\n'))
  const { line, id } = (await invite(socket, { name: 'a' })).json<{ line: string; id: string }>()
  const bridge = parseBridgeLine(line)
  assert.deepEqual(bridge.endpoint, { host: '192.0.2.9', port: daemon.ports['bridge'] })
  assert.equal(bridge.serverName, NAME)
  assert.equal(toHex(bridge.id), id)
  const shown = (await call({ socketPath: socket, path: '/api/v1/bridge' })).text
  assert.ok(shown.includes(toHex(bridge.pin)) && !shown.includes(line))
  assert.ok(!readFileSync(join(home, 'logs', 'daemon.log'), 'utf8').includes(line.slice(20, 40)))
  const other = (await invite(socket, { name: 'b', address: '2001:db8::9' })).json<{ line: string }>()
  assert.equal(parseBridgeLine(other.line).endpoint.host, '2001:db8::9')
})

test('a bridge that does not know its address, and what is no bridge, say so', async (t) => {
  const nowhere = await startTestDaemon(t, await bridgeToml())
  assert.match((await invite(nowhere.socket, { name: 'a' })).text, /E_BRIDGE_ADDRESS/)
  const named = await invite(nowhere.socket, { name: 'a', address: 'example.org' })
  assert.match(named.text, /E_BRIDGE_ADDRESS/)
  assert.equal(named.status, 400)
  // One that no line can hold makes no invitation.
  for (const address of ['::ffff:192.0.2.9', '0.0.0.0']) {
    assert.match((await invite(nowhere.socket, { name: 'mapped', address })).text, /E_BRIDGE_ADDRESS/)
    assert.ok(!(await call({ socketPath: nowhere.socket, path: '/api/v1/bridge' })).text.includes('mapped'))
  }
  const none = await startTestDaemon(t)
  const off = await invite(none.socket, { name: 'a' })
  assert.match(off.text, /E_BRIDGE_OFF/)
  assert.equal(off.status, 409)
})

test('an invitation that is not there, or is there already, is no failure of the daemon', async (t) => {
  const { socket } = await startTestDaemon(t, await bridgeToml('address = "192.0.2.9"\n'))
  await invite(socket, { name: 'a' })
  assert.equal((await invite(socket, { name: 'a' })).status, 409)
  const path = '/api/v1/bridge/invitations/a'
  assert.equal((await call({ socketPath: socket, method: 'DELETE', path })).status, 200)
  assert.equal((await call({ socketPath: socket, method: 'DELETE', path })).status, 404)
})

function addLine(home: string): void {
  writeFileSync(join(home, BRIDGES_FILE), `${LINE}\n`, { mode: 0o600 })
}

async function startWithBridge(t: TestContext, toml = ''): Promise<{ through: boolean; bridges: number | undefined }> {
  const { config, home } = await testConfig(t, toml)
  addLine(home)
  const seen = { through: false, bridges: undefined as number | undefined }
  await startDaemon({
    config,
    loadComponents: async () => ({
      createVpn: async ({ bridges }) => {
        seen.bridges = bridges?.length
        return { probe: undefined, loss: undefined } as never
      },
      createOverlay: async ({ through }) => {
        seen.through = through !== undefined
        throw new Error('that is all')
      },
      createStorage: async () => assert.fail(),
      profileKillSwitch: () => async () => {},
      probes: () => [],
    }),
    onStop: () => {},
    signal: new AbortController().signal,
  }).catch((error: unknown) => {
    if (isWeftError(error)) throw error
  })
  return seen
}

test('a client with a bridge has overlay and VPN call by it', async (t) => {
  assert.deepEqual(await startWithBridge(t), { through: true, bridges: 1 })
})

test('a node with a bridge offers nothing to others', async (t) => {
  for (const toml of ['[node]\nroles = ["storage"]\n', '[node]\nforward = true\n', await bridgeToml()])
    await assert.rejects(startWithBridge(t, toml), failsWith('E_BRIDGE_ROLES'))
})

test('the bridge is what is checked first, as nothing is reached without it', async (t) => {
  const { socket } = await startTestDaemon(t, '', addLine)
  const { checks } = (await call({ socketPath: socket, path: '/readyz?verbose' })).json<{
    checks: { name: string }[]
  }>()
  assert.equal(checks[0]?.name, 'bridge')
})
