import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LocalHealth } from '../../src/liveness/local-health.ts'

test('local health stays between well and very ill', () => {
  const health = new LocalHealth()
  health.better()
  assert.equal(health.scale(500), 500)
  health.worse(20)
  assert.equal(health.scale(500), 4_500)
  health.better()
  assert.equal(health.score, 7)
})
