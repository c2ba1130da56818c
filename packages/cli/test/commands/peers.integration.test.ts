import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'

test('ping tells the median of the round trips', async (context) => {
  const times = [9, 1, 4, 2]
  const home = await serveApi(context, (_, response) => {
    response.end(JSON.stringify({ schemaVersion: 1, rttMs: times.shift() }))
  })
  const id = 'did:key:z6MkmY2UUbsZzLXQHfJiJrc7tSEmqixtUChaa5ujugeAnMvH'
  const { stdout } = await runWeft(['ping', id, '--count', '4', '--json'], { WEFT_HOME: home })
  assert.deepEqual(JSON.parse(stdout), { schemaVersion: 1, id, rttMs: 3, times: [9, 1, 4, 2] })
})

test('who knows no members reads why at once', async (context) => {
  const fault = { code: 'E_NETWORK_MISMATCH', cause: 'Of another network.', fix: 'Get the file.' }
  const home = await serveApi(context, ({ url }, response) => {
    response.end(JSON.stringify(url === '/api/v1/status' ? { map: { fault } } : { peers: [] }))
  })
  const { stderr } = await runWeft(['peers'], { WEFT_HOME: home })
  assert.match(stderr, /E_NETWORK_MISMATCH: Of another network\.\n.*Get the file\./)
})
