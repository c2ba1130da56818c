import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fromDidKey } from '@weft/crypto'
import {
  attestedEnergy,
  networkIdOf,
  networkOf,
  parseAttestation,
  parseJoinToken,
  parseNetworkFile,
  requireAttester,
} from '@weft/overlay'
import type { AttestationAnswer } from '../../src/routes/answers.ts'
import { JSON_TYPE, call } from '../support/http.ts'
import { startTestDaemon } from '../support/test-daemon.ts'

test('the socket has full rights and mode 0600; the home has mode 0700', async (t) => {
  const { socket, home } = await startTestDaemon(t)
  assert.equal(statSync(socket).mode & 0o777, 0o600)
  assert.equal(statSync(home).mode & 0o777, 0o700)
  const status = await call({ socketPath: socket, path: '/api/v1/status' })
  assert.equal(status.status, 200)
  const body = status.json<{
    schemaVersion: number
    node: { roles: string[]; pid: number }
    ports: { api: number }
    faults: unknown[]
  }>()
  assert.equal(body.schemaVersion, 1)
  assert.deepEqual(body.node.roles, ['client'])
  assert.equal(body.node.pid, process.pid)
  assert.deepEqual(body.faults, [])
})

test('answers have the shapes that scripts rely on', async (t) => {
  const { socket, overlay } = await startTestDaemon(t)
  const members = (await call({ socketPath: socket, path: '/api/v1/members' })).json<{
    epoch: number
    members: {
      id: string
      short: string
      certificate: Record<string, unknown>
      peer: { state: string }
    }[]
  }>()
  assert.equal(members.epoch, 7)
  assert.deepEqual(
    members.members.map(({ id }) => id),
    overlay.memberList.map(({ id }) => id),
  )
  assert.deepEqual(Object.keys(members.members[0]!.certificate), ['epoch', 'quorum', 'expiresAt'])
  const path = `/api/v1/members/${encodeURIComponent(members.members[0]!.id)}`
  const { member } = (await call({ socketPath: socket, path })).json<{
    member: { id: string; certificate: { signatures: { signature: string }[] } }
  }>()
  assert.equal(member.id, members.members[0]!.id)
  assert.equal(member.certificate.signatures.length, 1)
  assert.match(member.certificate.signatures[0]!.signature, /^[A-Za-z0-9_-]{86}$/)
  const unknown = await call({ socketPath: socket, path: `/api/v1/members/${encodeURIComponent(`${member.id}x`)}` })
  assert.equal(unknown.json<{ error: { code: string } }>().error.code, 'E_NODE_UNKNOWN')
  assert.equal(members.members[0]!.peer.state, 'connected')
  const id = (await call({ socketPath: socket, path: '/api/v1/id' })).json<{ node: string; person: string }>()
  assert.match(id.node, /^did:key:z/)
  assert.match(id.person, /^did:key:z/)
  const peers = (await call({ socketPath: socket, path: '/api/v1/peers' })).json<{ peers: unknown[] }>()
  assert.equal(peers.peers.length, 2)
})

test('a token of an open network names this network and its nodes, and has nothing to limit', async (t) => {
  const { socket, home } = await startTestDaemon(t)
  const invite = (body: object) =>
    call({
      socketPath: socket,
      method: 'POST',
      path: '/api/v1/network/invitations',
      headers: JSON_TYPE,
      body: JSON.stringify(body),
    })
  const file = parseNetworkFile(readFileSync(join(home, 'network.json'), 'utf8'))
  const { token, network } = (await invite({})).json<{ token: string; network: { name: string } }>()
  assert.equal(network.name, 'test')
  assert.deepEqual(parseJoinToken(token), {
    network: networkIdOf(file),
    bootstrap: [{ id: file.validators[0]!.id, addresses: ['/ip4/127.0.0.1/tcp/9'] }],
    invitation: undefined,
  })
  const limited = await invite({ uses: 2 })
  assert.deepEqual([limited.status, limited.code], [400, 'E_INVITE_NEEDLESS'])
  for (const wrong of [
    { roles: ['client'] },
    { roles: [] },
    { roles: ['storage', 'storage'] },
    { uses: 0 },
    { ttlMs: 999 },
  ])
    assert.deepEqual([(await invite(wrong)).status, (await invite(wrong)).code], [400, 'E_REQUEST_INVALID'])
})

test('what an attester signs is of the node that is named, for the time that is asked', async (t) => {
  const { socket, home, overlay } = await startTestDaemon(t)
  const attest = (body: object) =>
    call({
      socketPath: socket,
      method: 'POST',
      path: '/api/v1/network/attestations',
      headers: JSON_TYPE,
      body: JSON.stringify(body),
    })
  const network = networkOf(parseNetworkFile(readFileSync(join(home, 'network.json'), 'utf8')))
  const node = overlay.memberList[0]!.id
  const answer = (await attest({ node, source: 'wind', ttlMs: 5_000 })).json<AttestationAnswer>()
  const holder = { network: network.id, key: fromDidKey(node), expiresAt: answer.notAfter }
  const energy = attestedEnergy(parseAttestation(answer.attestation), holder, 'it')
  requireAttester(network, energy)
  assert.deepEqual([energy.source, energy.attester, energy.notAfter], ['wind', answer.attester, answer.notAfter])
  for (const wrong of [
    {},
    { node },
    { node, source: 'fusion' },
    { node, carbon: 2_001 },
    { node, carbon: 1, ttlMs: 1 },
  ])
    assert.deepEqual([(await attest(wrong)).status, (await attest(wrong)).code], [400, 'E_REQUEST_INVALID'])
})

test('a ping reaches members only', async (t) => {
  const { socket, overlay } = await startTestDaemon(t)
  const path = (id: string): string => `/api/v1/peers/${encodeURIComponent(id)}/ping`
  const good = await call({ socketPath: socket, method: 'POST', path: path(overlay.memberList[0]!.id) })
  assert.equal(good.json()['rttMs'], 2.5)
  const stranger = await call({
    socketPath: socket,
    method: 'POST',
    path: path('did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'),
  })
  assert.deepEqual([stranger.status, stranger.code], [404, 'E_NODE_UNKNOWN'])
  const nonsense = await call({ socketPath: socket, method: 'POST', path: path('../../etc/passwd') })
  assert.deepEqual([nonsense.status, nonsense.code], [400, 'E_REQUEST_INVALID'])
})

test('what a request may hold is said by field, in words of ours', async (t) => {
  const { socket } = await startTestDaemon(t)
  const token = (body: unknown): Parameters<typeof call>[0] => ({
    path: '/api/v1/tokens',
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify(body),
  })
  const put = (query: string): Parameters<typeof call>[0] => ({
    path: `/api/v1/objects?${query}`,
    method: 'PUT',
    body: 'x',
  })
  const cases: [Parameters<typeof call>[0], RegExp][] = [
    [token({ name: 'a'.repeat(65), scopes: ['*'] }), /body\.name must be 1 to 64 letters, digits/],
    [token({ name: 7, scopes: ['*'] }), /body\.name must be a text/],
    [token({ scopes: ['*'] }), /body\.name is missing/],
    [token({ name: 'a', scopes: ['moon:walk'] }), /body\.scopes\.0 must be one of \*, node:\*.*storage:read/],
    [token({ name: 'a', scopes: [] }), /body\.scopes must have at least 1 entry/],
    [token({ name: 'a', scopes: Array(33).fill('*') }), /body\.scopes must have at most 32 entries/],
    [token({ name: 'a', scopes: '*' }), /body\.scopes must be a list/],
    [token({ name: 'a', scopes: ['*'], ttlMs: 1 }), /body\.ttlMs must be at least 60000/],
    [token({ name: 'a', scopes: ['*'], ttlMs: 1e12 }), /body\.ttlMs must be at most 31622400000/],
    [token({ name: 'a', scopes: ['*'], ttlMs: 60_000.5 }), /body\.ttlMs must be a whole number/],
    [token({ name: 'a', scopes: ['*'], admin: true }), /body takes no 'admin'/],
    [token([]), /body must be an object/],
    [put(`name=${'n'.repeat(2_000)}`), /query\.name must have at most 255 characters/],
    [put('class=huge'), /query\.class must be one of tiny, small/],
    [put('ttlMs=-1'), /query\.ttlMs must be a whole number/],
  ]
  for (const [options, expected] of cases) {
    const answer = await call({ socketPath: socket, ...options })
    const { error } = answer.json<{ error: { code: string; cause: string } }>()
    assert.deepEqual([answer.status, error.code], [400, 'E_REQUEST_INVALID'], `${expected}: ${answer.text}`)
    assert.match(error.cause, expected)
    assert.doesNotMatch(error.cause, /Invalid|expected|Too (?:big|small)|Unrecognized|pattern/)
  }
})

test('what is not right is said with code, cause and fix', async (t) => {
  const { socket } = await startTestDaemon(t)
  const cases: [Parameters<typeof call>[0], number, string][] = [
    [{ path: '/api/v1/nothing' }, 404, 'E_ROUTE_UNKNOWN'],
    [{ path: '/api/v1/status', method: 'DELETE' }, 405, 'E_METHOD_NOT_ALLOWED'],
    [{ path: '/api/v1/tokens', method: 'POST', headers: JSON_TYPE, body: '{"name":' }, 400, 'E_REQUEST_INVALID'],
    [{ path: '/api/v1/tokens', method: 'POST', headers: JSON_TYPE, body: '' }, 400, 'E_REQUEST_INVALID'],
    [
      { path: '/api/v1/tokens', method: 'POST', headers: JSON_TYPE, body: '{"name":"a","scopes":["*"],"admin":true}' },
      400,
      'E_REQUEST_INVALID',
    ],
    [
      { path: '/api/v1/tokens', method: 'POST', headers: JSON_TYPE, body: '{"name":"a","scopes":["moon:walk"]}' },
      400,
      'E_REQUEST_INVALID',
    ],
    [
      { path: '/api/v1/tokens', method: 'POST', headers: JSON_TYPE, body: `{"name":"${'a'.repeat(70_000)}"}` },
      413,
      'E_BODY_TOO_LARGE',
    ],
    [
      { path: '/api/v1/tokens', method: 'POST', headers: { 'content-type': 'text/xml' }, body: '<a/>' },
      415,
      'E_CONTENT_TYPE',
    ],
    [{ path: '/api/v1/objects?class=huge', method: 'PUT', body: 'x' }, 400, 'E_REQUEST_INVALID'],
    [{ path: '/api/v1/objects?ttlMs=-1', method: 'PUT', body: 'x' }, 400, 'E_REQUEST_INVALID'],
    [{ path: '/api/v1/objects?nmae=a', method: 'PUT', body: 'x' }, 400, 'E_REQUEST_INVALID'],
    [{ path: '/api/v1/objects?name=a&name=b', method: 'PUT', body: 'x' }, 400, 'E_REQUEST_INVALID'],
    [{ path: '/api/v1/object' }, 400, 'E_REQUEST_INVALID'],
    [{ path: '/api/v1/object?ref=weft%3A%2F%2Fn%2Fo%23k' }, 404, 'E_OBJECT_NOT_FOUND'],
    [{ path: '/%ZZ' }, 400, 'E_REQUEST_INVALID'],
    [{ path: `/api/v1/objects/${'a'.repeat(500)}/stat` }, 400, 'E_REQUEST_INVALID'],
  ]
  for (const [options, status, code] of cases) {
    const answer = await call({ socketPath: socket, ...options })
    assert.deepEqual(
      [answer.status, answer.code],
      [status, code],
      `${options.method ?? 'GET'} ${options.path?.slice(0, 60)}: ${answer.text.slice(0, 200)}`,
    )
    const { error } = answer.json<{ error: Record<string, unknown> }>()
    assert.ok(
      typeof error['cause'] === 'string' && typeof error['fix'] === 'string' && typeof error['retryable'] === 'boolean',
    )
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
  }
})

test('an error that nobody expected tells nothing of itself', async (t) => {
  const { socket, storage } = await startTestDaemon(t)
  storage.list = () => {
    throw new Error('password is hunter2')
  }
  const answer = await call({ socketPath: socket, path: '/api/v1/objects' })
  assert.deepEqual([answer.status, answer.code], [500, 'E_INTERNAL'])
  assert.ok(!answer.text.includes('hunter2'))
})

test('stop answers first, then asks the daemon to stop', async (t) => {
  const { socket, stops } = await startTestDaemon(t)
  const answer = await call({ socketPath: socket, method: 'POST', path: '/api/v1/stop' })
  assert.equal(answer.status, 200)
  assert.equal(stops(), 1)
})

test('readiness names the check that fails; liveness stays', async (t) => {
  const { socket, overlay, storage } = await startTestDaemon(t)
  assert.equal((await call({ socketPath: socket, path: '/readyz' })).status, 200)
  overlay.mapStatus = { ...overlay.mapStatus, fault: { code: 'E_MAP_STALE', cause: 'old', fix: 'wait' } }
  overlay.admissionState = {
    state: 'refused',
    fault: { code: 'E_CLOCK_SKEW', cause: 'The clock is off.', fix: 'Set it.' },
    faults: [],
    retryAt: 1,
  }
  storage.heldFault = { code: 'E_DISK_FULL', cause: 'full', fix: 'free' }
  const verbose = await call({ socketPath: socket, path: '/readyz?verbose' })
  assert.equal(verbose.status, 503)
  const { checks } = verbose.json<{ checks: { name: string; ok: boolean; fault?: { code: string } }[] }>()
  assert.deepEqual(
    checks.filter(({ ok }) => !ok).map(({ name, fault }) => [name, fault?.code]),
    [
      ['map', 'E_MAP_STALE'],
      ['admission', 'E_CLOCK_SKEW'],
      ['storage', 'E_DISK_FULL'],
    ],
  )
  const status = (await call({ socketPath: socket, path: '/api/v1/status' })).json<{ faults: { code: string }[] }>()
  assert.deepEqual(
    status.faults.map(({ code }) => code),
    ['E_MAP_STALE', 'E_CLOCK_SKEW', 'E_DISK_FULL'],
  )
  assert.equal((await call({ socketPath: socket, path: '/livez' })).status, 200)
})
