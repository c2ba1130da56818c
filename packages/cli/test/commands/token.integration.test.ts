import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'

test('token list prints the ids that token revoke takes', async (context) => {
  const token = { id: 'id123456', name: 'grafana', scopes: ['metrics:read'], createdAt: 1, expiresAt: 2 }
  const home = await serveApi(context, (_, response) => {
    response.end(JSON.stringify({ schemaVersion: 1, tokens: [token] }))
  })
  const { code, stdout } = await runWeft(['token', 'list'], { WEFT_HOME: home })
  assert.equal(code, 0)
  assert.match(stdout, /^ID +NAME .*\nid123456 +grafana /)
})
