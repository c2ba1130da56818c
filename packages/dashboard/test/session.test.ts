import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { type TestContext, it } from 'node:test'
import { SIGNED_OUT } from '../src/api/api-error.ts'
import { callSignedIn } from '../src/api/call-signed-in.ts'
import { onLiveEvent } from '../src/api/live-events.ts'
import { linkCode, openLink } from '../src/api/session.ts'

const CODE = 'c'.repeat(43)

it('finds a code in the address of a link alone', () => {
  assert.equal(linkCode({ pathname: '/open', hash: `#${CODE}` }), CODE)
  for (const [pathname, hash] of [
    ['/', `#${CODE}`],
    ['/open', ''],
    ['/open', `#${CODE}x`],
    ['/open', '#/members'],
  ] as const)
    assert.equal(linkCode({ pathname, hash }), undefined)
})

interface Seen {
  readonly url: string | undefined
  readonly authorization: string | undefined
  readonly lastId: string | string[] | undefined
  readonly body: string
}

/** A page at `path` of a daemon that answers with `answers` in turn: a status, a body, and whether it ends there. */
async function openPage(
  context: TestContext,
  path: string,
  answers: readonly (readonly [status: number, body: string])[],
): Promise<{ readonly seen: Seen[]; readonly visited: string[] }> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { authorization, 'last-event-id': lastId } = request.headers
      const [status, text] = answers[seen.push({ url: request.url, authorization, lastId, body }) - 1] ?? [500, '']
      response.writeHead(status).end(text)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const stored = new Map<string, string>()
  const visited: string[] = []
  const browser: Record<string, unknown> = {
    location: new URL(path, `http://127.0.0.1:${port}`),
    history: { replaceState: (_state: unknown, _title: string, to: string) => visited.push(to) },
    sessionStorage: {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => stored.set(key, value),
    },
    fetch: (to: string, init: RequestInit) => realFetch(`http://127.0.0.1:${port}${to}`, init),
  }
  const realFetch = fetch
  const before = Object.keys(browser).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
  for (const [name, value] of Object.entries(browser))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  context.after(() => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name)
      else Object.defineProperty(globalThis, name, descriptor)
    }
    server.closeAllConnections()
    server.close()
  })
  return { seen, visited }
}

it('exchanges the code for a session, takes it out of the address, and shows the session from then on', async (t) => {
  const { seen, visited } = await openPage(t, `/open#${CODE}`, [
    [200, '{"session":"secret","expiresAt":1}'],
    [200, '{"ok":1}'],
    [401, '{"error":{"code":"E_UNAUTHENTICATED","cause":"c","fix":"f"}}'],
  ])
  assert.equal(await openLink(), undefined)
  assert.deepEqual(visited, ['/'])
  const { signal } = new AbortController()
  assert.deepEqual(await callSignedIn('GET', '/api/v1/status', signal), { ok: 1 })
  await assert.rejects(callSignedIn('GET', '/api/v1/status', signal), { status: 401, fault: SIGNED_OUT })
  assert.deepEqual(
    seen.map(({ url, authorization, body }) => [url, authorization, body]),
    [
      ['/open', undefined, JSON.stringify({ code: CODE })],
      ['/api/v1/status', 'Bearer secret', ''],
      ['/api/v1/status', 'Bearer secret', ''],
    ],
  )
})

it('tells why a link did not work', async (t) => {
  await openPage(t, `/open#${CODE}`, [[401, '{"error":{"code":"E_LINK_INVALID","cause":"c","fix":"f"}}']])
  assert.equal((await openLink())?.code, 'E_LINK_INVALID')
})

it('follows the events with its session, and resumes where they broke off', async (t) => {
  const { seen } = await openPage(t, '/', [
    [200, 'id: a-1\nevent: map\ndata: {}\n\nid: a-2\nevent: unknown\ndata: {}\n\nid: a-3\nevent: pe'],
    [200, 'id: a-3\nevent: peer\ndata: {}\n\n'],
    [401, ''],
  ])
  sessionStorage.setItem('weft-session', 'secret')
  const heard: string[] = []
  await new Promise<void>((resolve) => {
    const stop = onLiveEvent((name) => {
      heard.push(name)
      // The third stream is refused: there is no fourth.
      if (name === 'lost' && seen.length === 3) {
        stop()
        resolve()
      }
    })
  })
  assert.deepEqual(heard, ['open', 'map', 'lost', 'open', 'peer', 'lost', 'lost'])
  assert.deepEqual(
    seen.map(({ authorization, lastId }) => [authorization, lastId]),
    [
      ['Bearer secret', undefined],
      ['Bearer secret', 'a-2'],
      ['Bearer secret', 'a-3'],
    ],
  )
})
