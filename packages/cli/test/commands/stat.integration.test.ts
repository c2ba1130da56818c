import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'
import { REF } from '../fixtures/reference.ts'

test('an object without segments is said to be kept in its record', async (context) => {
  const object = { object: 'o', size: 10, class: { name: 'tiny', k: 3, n: 9 }, segmentCount: 0, segments: [] }
  const home = await serveApi(context, (_, response) => {
    response.end(
      JSON.stringify({ schemaVersion: 1, ...object, copies: 7, health: 'healthy', relaxed: [], expiresAt: 1 }),
    )
  })
  const { code, stdout } = await runWeft(['stat', REF], { WEFT_HOME: home })
  assert.equal(code, 0)
  assert.match(stdout, /kept +whole in its record, on at least 7 nodes: it has no shards/)
  assert.doesNotMatch(stdout, /shards restore/)
})
