import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { systemClock } from '@weft/core'
import { loadOrCreateKey } from '@weft/crypto'
import { join } from 'node:path'
import { startDaemon } from '../../src/daemon/start-daemon.ts'
import { S3Keys } from '../../src/s3/s3-keys.ts'
import { createFakeOverlay } from '../support/fake-overlay.ts'
import { createFakeStorage } from '../support/fake-storage.ts'
import { createFakeVpn } from '../support/fake-vpn.ts'
import { JSON_TYPE, call } from '../support/http.ts'
import { startTestDaemon, testConfig } from '../support/test-daemon.ts'

interface Key {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly endpoint: string
}

const makeKey = (socketPath: string, body: object = {}) =>
  call({ socketPath, method: 'POST', path: '/api/v1/s3/keys', headers: JSON_TYPE, body: JSON.stringify(body) })
const stateOf = async (socketPath: string) =>
  (await call({ socketPath, path: '/api/v1/status' })).json<{ s3: { state: string; keys: number; port: number } }>().s3

async function list({ accessKeyId, secretAccessKey, endpoint }: Key): Promise<unknown> {
  const credentials = { accessKeyId, secretAccessKey }
  const client = new S3Client({ endpoint, region: 'any', forcePathStyle: true, maxAttempts: 1, credentials })
  try {
    return (await client.send(new ListBucketsCommand({}))).Buckets ?? []
  } finally {
    client.destroy()
  }
}

test('the first key opens the S3 server, the last one that is revoked closes it', async (t) => {
  const { socket, port, daemon } = await startTestDaemon(t)
  assert.equal(daemon.ports['s3'], port + 2)
  assert.deepEqual(await stateOf(socket), { state: 'down', host: '127.0.0.1', port: port + 2, keys: 0, running: 0 })
  const one = (await makeKey(socket, { name: 'one' })).json<Key>()
  assert.equal(one.endpoint, `http://127.0.0.1:${port + 2}`)
  assert.deepEqual(await list(one), [])
  const two = (await makeKey(socket, { access: 'read', buckets: ['only-this'] })).json<Key>()
  const revoke = (which: string) => call({ socketPath: socket, method: 'DELETE', path: `/api/v1/s3/keys/${which}` })
  assert.equal((await revoke('one')).status, 200)
  await assert.rejects(list(one), { name: 'InvalidAccessKeyId' })
  assert.deepEqual(await list(two), [])
  const metrics = (await call({ socketPath: socket, path: '/metrics' })).text
  assert.match(metrics, /^weft_s3_up 1$/m)
  assert.match(metrics, /^weft_s3_requests_total\{method="GET",status="200"\} 2$/m)
  assert.match(metrics, /^weft_s3_requests_total\{method="GET",status="403"\} 1$/m)
  const { keys } = (await call({ socketPath: socket, path: '/api/v1/s3/keys' })).json<{ keys: object[] }>()
  assert.deepEqual(
    keys.map((key) => Object.keys(key).toSorted()),
    [['access', 'accessKeyId', 'buckets', 'createdAt', 'name']],
  )
  assert.equal((await revoke(two.accessKeyId)).status, 200)
  await assert.rejects(list(two), { code: 'ECONNREFUSED' })
  assert.equal((await revoke('one')).status, 404)
})

test('a token makes no key that may do more than it', async (t) => {
  const { socket, port } = await startTestDaemon(t)
  const body = JSON.stringify({ name: 't', scopes: ['storage:admin', 'storage:read'] })
  const made = await call({ socketPath: socket, method: 'POST', path: '/api/v1/tokens', headers: JSON_TYPE, body })
  const { token } = made.json<{ token: string }>()
  const asked = (access: string) =>
    call({
      port,
      method: 'POST',
      path: '/api/v1/s3/keys',
      headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
      body: JSON.stringify({ access }),
    })
  assert.equal((await asked('write')).code, 'E_SCOPE_MISSING')
  assert.equal((await asked('read')).status, 200)
  assert.equal((await stateOf(socket)).keys, 1)
})

test('with its port taken no key is made, and it is said by whom', async (t) => {
  const { socket, port } = await startTestDaemon(t)
  const other = createServer().listen(port + 2, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const refused = await makeKey(socket)
  assert.equal(refused.code, 'E_PORT_TAKEN')
  assert.match(refused.text, new RegExp(`Port ${port + 2} \\(ports\\.base \\+ 2\\) is taken by node`))
  assert.deepEqual(await stateOf(socket), { state: 'down', host: '127.0.0.1', port: port + 2, keys: 0, running: 0 })
})

test('at start it is open where there are keys, or s3.server says so; a taken port is named by its setting', async (t) => {
  const start = async (toml: string, keys: number) => {
    const { config, home } = await testConfig(t, toml)
    using stored = new S3Keys(join(home, 's3-keys.sealed'), loadOrCreateKey(join(home, 'person.key')), systemClock)
    for (let at = 0; at < keys; at++) stored.create({ access: 'write' })
    const loadComponents = async () => ({
      createOverlay: createFakeOverlay,
      createStorage: createFakeStorage,
      createVpn: createFakeVpn,
      profileKillSwitch: () => async () => {},
      probes: () => [],
    })
    const run = () => startDaemon({ config, loadComponents, onStop: () => {}, signal: new AbortController().signal })
    return { run, home, port: config.values['ports.base'] + 2 }
  }
  for (const [toml, keys, state] of [
    ['', 0, 'down'],
    ['', 1, 'up'],
    ['[s3]\nserver = "on"\n', 0, 'up'],
    ['[s3]\nserver = "off"\n', 1, 'down'],
  ] as const) {
    const { run, home } = await start(toml, keys)
    await using _daemon = await run()
    assert.equal((await stateOf(join(home, 'api.sock'))).state, state, `${toml} ${keys}`)
  }
  const { run, port } = await start('', 1)
  const other = createServer().listen(port, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  await assert.rejects(run(), /Port \d+ \(ports\.base \+ 2\) is taken by node .*--base-port/)
})

test('changes of buckets that stay on this machine are a fault of it', async (t) => {
  const { socket, storage } = await startTestDaemon(t)
  const codes = async () =>
    (await call({ socketPath: socket, path: '/api/v1/status' }))
      .json<{ faults: { code: string }[] }>()
      .faults.map(({ code }) => code)
  assert.ok(!(await codes()).includes('E_CATALOG_LOCAL'))
  storage.buckets.fault = { code: 'E_CATALOG_LOCAL', cause: 'They wait.', fix: 'Wait.' }
  assert.ok((await codes()).includes('E_CATALOG_LOCAL'))
})
