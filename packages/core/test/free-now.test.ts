import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freeNow } from '../src/index.ts'

test('a buffer is gone, and what shares its memory with others is left alone', () => {
  const whole = new Uint8Array(100)
  freeNow(whole)
  assert.equal(whole.length, 0)
  const view = new Uint8Array(100).subarray(1)
  freeNow(view)
  assert.equal(view.length, 99)
  const shared = new Uint8Array(new SharedArrayBuffer(100))
  freeNow(shared)
  assert.equal(shared.length, 100)
})
