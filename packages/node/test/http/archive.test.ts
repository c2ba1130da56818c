import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import { call, open } from '../support/http.ts'
import { startTestDaemon } from '../support/test-daemon.ts'

test('an export comes chunked, with about how much comes; the keys alone where they are asked for', async (t) => {
  const { socket } = await startTestDaemon(t)
  for (const [query, content] of [
    ['', 'true'],
    ['?content=true', 'true'],
    ['?content=false', 'false'],
  ]) {
    const response = await open({ socketPath: socket, path: `/api/v1/archive${query}` })
    assert.deepEqual([response.headers['content-length'], response.headers['weft-expected-bytes']], [undefined, '99'])
    assert.equal(Buffer.concat((await response.toArray()) as Buffer[]).toString(), `archive ${content} end`)
  }
  assert.equal((await call({ socketPath: socket, path: '/api/v1/archive?content=maybe' })).code, 'E_REQUEST_INVALID')
})

test('an export that fails is cut off', async (t) => {
  const { socket, storage } = await startTestDaemon(t)
  storage.failExport = new WeftError({ code: 'E_SHARDS_MISSING', cause: 'Too few.', fix: 'Wait.' })
  const read = async (): Promise<unknown> => (await open({ socketPath: socket, path: '/api/v1/archive' })).toArray()
  await assert.rejects(read(), { code: 'ECONNRESET' })
})

test('an import gets the body as it is, and answers what became of it', async (t) => {
  const { socket, storage } = await startTestDaemon(t)
  const answer = await call({ socketPath: socket, method: 'PUT', path: '/api/v1/archive', body: 'an archive' })
  assert.equal(answer.status, 200)
  assert.equal(Buffer.from(storage.imported ?? []).toString(), 'an archive')
  assert.deepEqual(answer.json()['left'], [
    { name: 'b/k', fault: { code: 'E_ARCHIVE_CONTENT', cause: 'It has no bytes.', fix: 'Take another.' } },
  ])
})
