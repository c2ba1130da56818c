import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apply } from '../apply.ts'

test('who was not found by one member only, or of whom nobody says anything, is dialled back by the validator alone', async () => {
  assert.equal(await apply({ others: 'unknown' }), 'admitted')
})
