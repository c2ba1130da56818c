import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import * as z from 'zod'
import type { Route } from '../../src/http/route.ts'
import type { ApiServices } from '../../src/routes/api-services.ts'
import { createRoutes } from '../../src/routes/create-routes.ts'
import { type Answer, type Call, JSON_TYPE, call } from '../support/http.ts'
import { freePort, startTestDaemon } from '../support/test-daemon.ts'

const ROUTES: readonly Route[] = createRoutes({ ports: {} } as unknown as ApiServices)
const json = (method: string, path: string, body: unknown): Call => ({
  method,
  path,
  headers: JSON_TYPE,
  body: JSON.stringify(body),
})

/** The schema of a route refuses fields that it does not name, at every depth. */
function assertStrict(schema: z.ZodType, where: string): void {
  const { $schema: _, ...document } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return
    if ('properties' in node) {
      assert.equal((node as { additionalProperties?: unknown }).additionalProperties, false, path)
    }
    for (const [key, value] of Object.entries(node)) visit(value, `${path}/${key}`)
  }
  visit(document, where)
}

async function linkCode(socketPath: string): Promise<string> {
  const { url } = (await call({ socketPath, method: 'POST', path: '/api/v1/dashboard/link' })).json<{ url: string }>()
  return new URL(url).hash.slice(1)
}

/** A request to every route that answers with JSON; by its method and url. */
async function requests(t: TestContext): Promise<{ socketPath: string; all: Record<string, Call> }> {
  const { socket: socketPath, overlay } = await startTestDaemon(
    t,
    `[bridge]\nenabled = true\nport = ${await freePort()}\naddress = "192.0.2.1"\n[network]\nlisten_host = "127.0.0.1"\n`,
  )
  const stored = await call({ socketPath, method: 'PUT', path: '/api/v1/objects?name=a', body: 'hello' })
  const { ref, object } = stored.json<{ ref: string; object: string }>()
  const other = await call({ socketPath, method: 'PUT', path: '/api/v1/objects?name=b', body: 'hello' })
  const { object: removed } = other.json<{ object: string }>()
  const member = overlay.membership.members()[0]
  assert.ok(member !== undefined)
  return {
    socketPath,
    all: {
      'GET /api/v1/status': {},
      'GET /api/v1/id': {},
      'GET /api/v1/leave': {},
      'POST /api/v1/leave': { method: 'POST', path: '/api/v1/leave' },
      'DELETE /api/v1/leave': { method: 'DELETE', path: '/api/v1/leave' },
      'GET /api/v1/network': {},
      'POST /api/v1/network/invitations': json('POST', '/api/v1/network/invitations', {}),
      'POST /api/v1/network/attestations': json('POST', '/api/v1/network/attestations', {
        node: member.id,
        carbon: 24,
      }),
      'GET /api/v1/members': {},
      'GET /api/v1/members/:id': { path: `/api/v1/members/${encodeURIComponent(member.id)}` },
      'GET /api/v1/peers': {},
      'POST /api/v1/peers/:id/ping': { path: `/api/v1/peers/${encodeURIComponent(member.id)}/ping` },
      'GET /api/v1/revocations': {},
      'POST /api/v1/revocations': json('POST', '/api/v1/revocations', { node: member.id, reason: 'abuse' }),
      'GET /api/v1/resources': {},
      'GET /api/v1/leases': {},
      'PUT /api/v1/objects': { body: 'hello' },
      'GET /api/v1/objects': {},
      'POST /api/v1/object/stat': json('POST', '/api/v1/object/stat', { ref }),
      'GET /api/v1/objects/:object/stat': { path: `/api/v1/objects/${object}/stat` },
      'DELETE /api/v1/objects/:object': { path: `/api/v1/objects/${removed}` },
      'POST /api/v1/objects/:object/renewal': json('POST', `/api/v1/objects/${object}/renewal`, { ttlMs: 90_000 }),
      'GET /api/v1/objects/:object/renewal': { path: `/api/v1/objects/${object}/renewal` },
      'GET /api/v1/objects/:object/removal': { path: `/api/v1/objects/${removed}/removal` },
      'PUT /api/v1/archive': { body: 'archive' },
      'POST /api/v1/s3/takeover': { method: 'POST', path: '/api/v1/s3/takeover' },
      'GET /api/v1/removals': {},
      'GET /api/v1/audits': {},
      'GET /api/v1/transfers': {},
      'POST /api/v1/s3/keys': json('POST', '/api/v1/s3/keys', { name: 'k', buckets: ['one'], access: 'read' }),
      'GET /api/v1/s3/keys': {},
      'DELETE /api/v1/s3/keys/:key': { path: '/api/v1/s3/keys/k' },
      'GET /api/v1/vpn': {},
      'GET /api/v1/vpn/route': {},
      'POST /api/v1/vpn/route/verify': { method: 'POST', path: '/api/v1/vpn/route/verify' },
      'GET /api/v1/vpn/route/why': { path: `/api/v1/vpn/route/why?node=${encodeURIComponent(member.id)}` },
      'GET /api/v1/vpn/exits': {},
      'POST /api/v1/vpn/up': json('POST', '/api/v1/vpn/up', {}),
      'POST /api/v1/vpn/down': json('POST', '/api/v1/vpn/down', {}),
      'GET /api/v1/vpn/profiles': {},
      'PUT /api/v1/vpn/profiles/:profile': json('PUT', '/api/v1/vpn/profiles/work', { hops: 4, tunExclude: [] }),
      'GET /api/v1/vpn/profiles/:profile': { path: '/api/v1/vpn/profiles/work' },
      'POST /api/v1/vpn/profiles/:profile/use': { path: '/api/v1/vpn/profiles/private/use' },
      'GET /api/v1/vpn/profiles/:profile/export': { path: '/api/v1/vpn/profiles/work/export' },
      'POST /api/v1/vpn/profiles/import': json('POST', '/api/v1/vpn/profiles/import?replace=true', {
        schemaVersion: 1,
        kind: 'weft-vpn-profile',
        profile: { name: 'work', hops: 5 },
        leftOut: ['tunExcludeUsers'],
      }),
      'DELETE /api/v1/vpn/profiles/:profile': { path: '/api/v1/vpn/profiles/work' },
      'GET /api/v1/bridge': {},
      'POST /api/v1/bridge/invitations': json('POST', '/api/v1/bridge/invitations', { name: 'b' }),
      'DELETE /api/v1/bridge/invitations/:invitation': { path: '/api/v1/bridge/invitations/b' },
      'POST /api/v1/tokens': json('POST', '/api/v1/tokens', { name: 't', scopes: ['*'] }),
      'GET /api/v1/tokens': {},
      'DELETE /api/v1/tokens/:token': { path: '/api/v1/tokens/t' },
      'POST /api/v1/dashboard/link': json('POST', '/api/v1/dashboard/link', { file: true }),
      'POST /open': json('POST', '/open', { code: await linkCode(socketPath) }),
      'GET /livez': {},
      'GET /readyz': { path: '/readyz?verbose' },
      'GET /api/v1/openapi.json': {},
      'POST /api/v1/stop': json('POST', '/api/v1/stop', {}),
    },
  }
}

test('every route answers with exactly what it declares', async (t) => {
  const { socketPath, all } = await requests(t)
  const routes = new Map(ROUTES.map((route) => [`${route.method} ${route.url}`, route]))
  const declared = ROUTES.filter(({ response }) => response instanceof z.ZodType).map(
    ({ method, url }) => `${method} ${url}`,
  )
  assert.deepEqual(Object.keys(all).toSorted(), declared.toSorted())
  for (const [name, options] of Object.entries(all)) {
    const { method, url, response } = routes.get(name)!
    assert.ok(response instanceof z.ZodType)
    assertStrict(response, name)
    const answer: Answer = await call({ socketPath, method, path: url, ...options })
    assert.ok(answer.status === 200 || url === '/readyz', `${name}: ${answer.text}`)
    const result = response.safeParse(answer.json())
    assert.ok(result.success, `${name}: ${result.error?.message}`)
  }
})
