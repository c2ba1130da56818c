import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkChaos } from './legs-chaos.ts'

test('streams over legs that come, go and fail come whole or end with a reason; neither packets nor timers storm', (t) => {
  const result = checkChaos(0, 3)
  t.diagnostic(JSON.stringify(result))
  assert.ok(result.streams > 15)
})
