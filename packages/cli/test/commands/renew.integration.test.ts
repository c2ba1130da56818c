import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { type Finished, runWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'

const A = 'a'.repeat(52)
const B = 'b'.repeat(52)
const C = 'c'.repeat(52)
const DAY = 86_400_000
const stored = (object: string, name: string) => ({
  ref: `weft://wnet/${object}#${'K'.repeat(43)}`,
  object,
  name,
  size: 5,
  class: 'tiny',
  createdAt: 0,
  expiresAt: 9,
  private: false,
})
const renewal = (object: string) => ({
  schemaVersion: 1,
  object,
  name: 'one',
  expiresAt: 9,
  until: 90 * DAY,
  state: 'open',
  records: { renewed: 2, total: 2 },
  holders: [
    { node: 'did:key:one', state: 'renewed' },
    {
      node: 'did:key:two',
      state: 'waiting',
      fault: { code: 'E_NODE_UNREACHABLE', cause: 'It is away.', fix: 'Wait.' },
    },
  ],
})

/** A daemon with three objects; what it is asked to change. */
async function daemon(context: TestContext, gate?: Promise<void>, onPoll = (): void => {}) {
  const asked: string[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? ''
    if (path === '/api/v1/objects') {
      const objects = [stored(A, 'one'), stored(B, 'two'), stored(C, 'two')]
      response.end(JSON.stringify({ schemaVersion: 1, objects }))
      return
    }
    if (request.method === 'POST') {
      const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString()
      asked.push(`${path} ${body}`)
      await gate
    } else onPoll()
    response.end(JSON.stringify(renewal(path.split('/')[4] ?? '')))
  }
  const home = await serveApi(context, (request, response) => void answer(request, response))
  const renew = (...args: string[]): Promise<Finished> => runWeft(['renew', ...args], { WEFT_HOME: home })
  return { home, asked, renew }
}

test('renew takes a name, an id or a reference, from standard input too, and how long', async (context) => {
  const { home, asked, renew } = await daemon(context)
  for (const target of ['one', A, stored(A, 'one').ref]) {
    assert.equal((await renew(target, '--for', '90d')).code, 0)
  }
  assert.equal((await runWeft(['renew', '-'], { WEFT_HOME: home }, `${stored(A, 'one').ref}\n`)).code, 0)
  const path = `/api/v1/objects/${A}/renewal`
  const longer = `${path} {"ttlMs":${90 * DAY}}`
  assert.deepEqual(asked, [longer, longer, longer, `${path} {"ttlMs":${30 * DAY}}`])
})

test('renew says who does not know of it yet; the JSON is what the daemon says', async (context) => {
  const { renew } = await daemon(context)
  const { code, stdout } = await renew('one', '--for', '90d')
  assert.equal(code, 0)
  for (const line of [
    'expires  1970-01-01',
    'records  2 of 2 written anew',
    'holders  1 of 2 keep it for longer',
    'It is away. (E_NODE_UNREACHABLE)',
    'The daemon goes on by itself',
  ]) {
    assert.ok(stdout.includes(line), `${line} in ${stdout}`)
  }
  assert.deepEqual(JSON.parse((await renew('one', '--json')).stdout), renewal(A))
})

test('renew tells how far it is while it takes long', async (context) => {
  const gate = Promise.withResolvers<void>()
  const { renew } = await daemon(context, gate.promise, gate.resolve)
  const { code, stderr } = await renew('one')
  assert.equal(code, 0)
  assert.ok(stderr.includes('renew: 2 of 2 records, 1 of 2 holders'), stderr)
})

test('several of one name, a name that is none, and a time that is too short are refused', async (context) => {
  const { asked, renew } = await daemon(context)
  for (const [args, code, fault] of [
    [['two'], 2, 'E_OBJECT_NAME'],
    [['nobody'], 5, 'E_OBJECT_UNKNOWN'],
    [['weft://wnet/x#KKK'], 5, 'E_OBJECT_UNKNOWN'],
    [['one', '--for', '59s'], 2, 'E_USAGE'],
  ] as const) {
    const finished = await renew(...args)
    assert.deepEqual([finished.code, finished.stderr.split(':')[0]], [code, fault])
    assert.ok(!finished.stderr.includes('KKK'))
  }
  assert.deepEqual(asked, [])
})
