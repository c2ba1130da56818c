import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { type Finished, runWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'

const A = 'a'.repeat(52)
const B = 'b'.repeat(52)
const C = 'c'.repeat(52)
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
const removal = (object: string, state = 'open') => ({
  schemaVersion: 1,
  object,
  name: 'gone',
  size: 5,
  private: false,
  removedAt: 1,
  expiresAt: 9,
  state,
  withdrawn: true,
  holders: [
    { node: 'did:key:one', state: 'deleted', receipt: { shards: 2, bytes: 5, at: 3, until: 9, signature: 'SIGNED' } },
    {
      node: 'did:key:two',
      state: 'waiting',
      fault: { code: 'E_NODE_UNREACHABLE', cause: 'It is away.', fix: 'Wait.' },
    },
  ],
})

/** A daemon with three objects and one that was removed; what it is asked to change or show. */
async function daemon(context: TestContext, state = 'open', gate?: (times: number) => Promise<void>) {
  const asked: string[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? ''
    if (path === '/api/v1/objects') {
      response.end(
        JSON.stringify({ schemaVersion: 1, objects: [stored(A, 'one'), stored(B, 'two'), stored(C, 'two')] }),
      )
      return
    }
    if (path === '/api/v1/removals') {
      const { holders: _, ...row } = removal('d'.repeat(52), state)
      response.end(JSON.stringify({ schemaVersion: 1, removals: [{ ...row, holders: 2, deleted: 1 }] }))
      return
    }
    asked.push(`${request.method} ${path}`)
    if (request.method === 'DELETE') await gate?.(asked.length)
    const object = path.split('/')[4] ?? ''
    if (object === 'e'.repeat(52)) {
      response.statusCode = 404
      response.end(JSON.stringify({ error: { code: 'E_OBJECT_UNKNOWN', cause: 'Not here.', fix: 'See weft ls.' } }))
    } else response.end(JSON.stringify(removal(object, state)))
  }
  const home = await serveApi(context, (request, response) => void answer(request, response))
  const rm = (...args: string[]): Promise<Finished> => runWeft(['rm', ...args], { WEFT_HOME: home })
  return { home, asked, rm }
}

test('rm takes a name, an id or a reference, and the reference from standard input', async (context) => {
  const { home, asked, rm } = await daemon(context)
  for (const target of ['one', A, stored(A, 'one').ref, `weft://wnet/${A}`]) assert.equal((await rm(target)).code, 0)
  assert.equal((await runWeft(['rm', '-'], { WEFT_HOME: home }, `${stored(A, 'one').ref}\n`)).code, 0)
  assert.deepEqual(
    asked,
    Array.from({ length: 5 }, () => `DELETE /api/v1/objects/${A}`),
  )
})

test('rm says who signed and who did not, and with --proof what; the JSON is what the daemon says', async (context) => {
  const { rm } = await daemon(context)
  const plain = await rm('one')
  assert.match(plain.stdout, /1 of 2 signed that they deleted it, 2 shards/)
  assert.match(plain.stdout, /It is away\. \(E_NODE_UNREACHABLE\)/)
  assert.ok(!plain.stdout.includes('SIGNED'))
  const proof = await rm('one', '--proof')
  assert.match(proof.stdout, /did:key:one +2 +5 +3 +9 +SIGNED/)
  assert.match(proof.stderr, /no proof/)
  const json = await rm('one', '--json')
  assert.deepEqual(JSON.parse(json.stdout), removal(A))
})

test('what was removed before is asked for again, unless it is over or only its receipts are wanted', async (context) => {
  const removed = 'd'.repeat(52)
  const open = await daemon(context)
  assert.equal((await open.rm('gone')).code, 0)
  assert.equal((await open.rm(removed, '--proof')).code, 0)
  assert.deepEqual(open.asked, [`DELETE /api/v1/objects/${removed}`, `GET /api/v1/objects/${removed}/removal`])
  const done = await daemon(context, 'done')
  assert.equal((await done.rm('gone')).code, 0)
  assert.deepEqual(done.asked, [`GET /api/v1/objects/${removed}/removal`])
})

test("a name that several have, and objects that are not this node's, are refused; no key is repeated", async (context) => {
  const { asked, rm } = await daemon(context)
  const two = await rm('two')
  assert.deepEqual([two.code, two.stderr.includes(B) && two.stderr.includes(C)], [2, true])
  for (const target of ['three', `weft://wnet/short#${'K'.repeat(43)}`, 'e'.repeat(52)]) {
    const { code, stderr } = await rm(target)
    assert.deepEqual([code, stderr.split(':')[0], stderr.includes('KKK')], [5, 'E_OBJECT_UNKNOWN', false])
  }
  assert.deepEqual(asked, [`DELETE /api/v1/objects/${'e'.repeat(52)}`])
})

test('what takes longer than a second tells how far it is', async (context) => {
  const told = Promise.withResolvers<void>()
  const { asked, rm } = await daemon(context, 'open', () => told.promise)
  const running = rm('one')
  while (asked.length < 2) await new Promise((resolve) => setImmediate(resolve))
  told.resolve()
  const { code, stderr } = await running
  assert.deepEqual([code, asked[1]], [0, `GET /api/v1/objects/${A}/removal`])
  assert.match(stderr, /rm: 1 of 2 holders signed/)
})
