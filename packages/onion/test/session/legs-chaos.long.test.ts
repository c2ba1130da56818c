import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkChaos } from './legs-chaos.ts'

test('the same for 60 sessions', (t) => {
  const result = checkChaos(100, 60)
  t.diagnostic(JSON.stringify(result))
  assert.ok(result.streams > 500)
})
