import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { EVENT_NAMES } from '../../src/events/event-ring.ts'
import type { Route } from '../../src/http/route.ts'
import { SCOPE_NAMES } from '../../src/http/scopes.ts'
import type { ApiServices } from '../../src/routes/api-services.ts'
import { createRoutes } from '../../src/routes/create-routes.ts'
import { call } from '../support/http.ts'
import { startTestDaemon } from '../support/test-daemon.ts'

const ROUTES: readonly Route[] = createRoutes({ ports: {} } as unknown as ApiServices)

interface Operation {
  readonly summary: string
  readonly security: { token?: string[] }[]
  readonly parameters: { name: string; in: string; required: boolean }[]
  readonly responses: Record<string, unknown>
}

test('the description holds every route with its scope and parameters', async (t) => {
  const { socket } = await startTestDaemon(t)
  const document = (await call({ socketPath: socket, path: '/api/v1/openapi.json' })).json<{
    openapi: string
    paths: Record<string, Record<string, Operation>>
  }>()
  assert.equal(document.openapi, '3.1.1')
  for (const { url, method, scope } of ROUTES) {
    const operation = document.paths[url.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
    assert.ok(operation !== undefined, `${method} ${url}`)
    assert.deepEqual(operation.security, scope === 'public' ? [] : [{ token: [scope] }])
    for (const [, name] of url.matchAll(/:(\w+)/g))
      assert.ok(
        operation.parameters.some(
          (parameter) => parameter.name === name && parameter.in === 'path' && parameter.required,
        ),
      )
    assert.ok(operation.responses['200'] !== undefined && operation.responses['default'] !== undefined)
  }
  assert.equal(
    Object.values(document.paths).reduce((sum, path) => sum + Object.keys(path).length, 0),
    ROUTES.length,
  )
})

test('the description of the event stream and docs/specs/http-api.md name every event, in one order', () => {
  const { summary } = ROUTES.find(({ url }) => url === '/api/v1/events') ?? assert.fail()
  assert.equal(/: (.*);/.exec(summary)?.[1], EVENT_NAMES.join(', '))
  const docs = readFileSync(new URL('../../../../docs/specs/http-api.md', import.meta.url), 'utf8')
  const [, listed = ''] = /is a stream of server-sent events \([^)]*\): ([^.]*)\./.exec(docs) ?? []
  assert.deepEqual(
    [...listed.replaceAll(/\([^)]*\)/g, '').matchAll(/`([^`]+)`/g)].map(([, name]) => name),
    EVENT_NAMES,
  )
})

test('every scope guards a route, and every route under /api wants one', () => {
  const used = new Set(ROUTES.map(({ scope }) => scope))
  for (const scope of SCOPE_NAMES) assert.ok(used.has(scope), scope)
  for (const { url, scope } of ROUTES) assert.ok(scope !== 'public' || !url.startsWith('/api/'), url)
})

test('docs/specs/http-api.md lists every route with its scope', () => {
  const docs = readFileSync(new URL('../../../../docs/specs/http-api.md', import.meta.url), 'utf8')
  const rows = [...docs.matchAll(/^\| `([A-Z]+ \/\S*)` \| (\S+) \|$/gm)].map(([, route, scope]) => `${route} ${scope}`)
  assert.deepEqual(
    rows,
    ROUTES.map(({ method, url, scope }) => `${method} ${url} ${scope}`),
  )
})
