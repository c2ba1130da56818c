import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runWeft, startWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'

test('s3 takeover says which buckets this machine writes now, and while it takes long that it does', async (context) => {
  const asked: string[] = []
  const gate = Promise.withResolvers<void>()
  const home = await serveApi(context, (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    void (asked.length === 1 ? gate.promise : Promise.resolve()).then(() =>
      response.end(JSON.stringify({ schemaVersion: 1, buckets: ['a', 'b'] })),
    )
  })
  const { child, finished } = startWeft(['s3', 'takeover'], { WEFT_HOME: home })
  child.stderr?.once('data', () => gate.resolve())
  const { code, stdout, stderr } = await finished
  assert.deepEqual([code, stdout], [0, 'This machine writes your buckets now: a, b\n'])
  assert.match(stderr, /is read from the network/)
  const json = await runWeft(['s3', 'takeover', '--yes', '--json'], { WEFT_HOME: home })
  assert.deepEqual(JSON.parse(json.stdout), { schemaVersion: 1, buckets: ['a', 'b'] })
  assert.deepEqual(asked, ['POST /api/v1/s3/takeover', 'POST /api/v1/s3/takeover'])
})

test('s3 takeover says why it could not', async (context) => {
  const error = { code: 'E_CATALOG_WRITER', cause: 'Another goes on.', fix: 'Stop it.', retryable: false, details: {} }
  const home = await serveApi(context, (_, response) => {
    response.statusCode = 409
    response.end(JSON.stringify({ error }))
  })
  const { code, stderr } = await runWeft(['s3', 'takeover'], { WEFT_HOME: home })
  assert.deepEqual([code, stderr.trim()], [1, 'E_CATALOG_WRITER: Another goes on.\nFix: Stop it.'])
})
