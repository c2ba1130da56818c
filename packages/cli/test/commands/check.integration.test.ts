import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'

test('check lists what is wrong and ends with 1', async (context) => {
  const fault = { code: 'E_MAP_STALE', cause: 'No map for a while.', fix: 'Look at the validators.' }
  const home = await serveApi(context, (_, response) => {
    response.statusCode = 503
    response.end(
      JSON.stringify({
        ready: false,
        checks: [
          { name: 'state', ok: true },
          { name: 'map', ok: false, fault },
        ],
      }),
    )
  })
  const { code, stdout, stderr } = await runWeft(['check'], { WEFT_HOME: home })
  assert.equal(code, 1)
  assert.match(stdout, /ok {4}state\nFAIL {2}map\n {2}E_MAP_STALE: No map for a while\.\n {4}Fix: Look/)
  assert.match(stderr, /^E_CHECK_FAILED: 1 check failed: map\./)
  const json = await runWeft(['check', '--json'], { WEFT_HOME: home })
  const document = JSON.parse(json.stdout) as { ok: boolean; checks: { name: string }[]; error: { code: string } }
  assert.deepEqual(
    [json.code, document.ok, document.checks.map(({ name }) => name), document.error.code],
    [1, false, ['state', 'map'], 'E_CHECK_FAILED'],
  )
})

test('check --wait that runs out of time ends with 6 and tells what was seen last', async (context) => {
  const fault = { code: 'E_MAP_STALE', cause: 'No map for a while.', fix: 'Look at the validators.' }
  const home = await serveApi(context, (_, response) => {
    response.statusCode = 503
    response.end(JSON.stringify({ ready: false, checks: [{ name: 'map', ok: false, fault }] }))
  })
  const { code, stdout, stderr } = await runWeft(['check', '--wait', '--timeout', '300ms', '--json'], {
    WEFT_HOME: home,
  })
  const document = JSON.parse(stdout) as { ok: boolean; checks: { name: string }[]; error: { code: string } }
  assert.deepEqual(
    [code, document.ok, document.checks.map(({ name }) => name), document.error.code],
    [6, false, ['map'], 'E_TIMEOUT'],
  )
  assert.match(stderr, /^E_TIMEOUT: .* 0\.3 s\. 1 check failed: map\.\nFix: Look at the validators\./)
})
