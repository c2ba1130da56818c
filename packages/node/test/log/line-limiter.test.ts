import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { LINES_PER_WINDOW, LineLimiter, WINDOW_MS } from '../../src/log/line-limiter.ts'

test('a message that comes again and again is cut, and says so at both ends', async () => {
  const clock = new VirtualClock()
  const limiter = new LineLimiter(clock)
  const admitted = Array.from({ length: 1_000 }, () => limiter.admit('reset')).filter((fields) => fields !== undefined)
  assert.equal(admitted.length, LINES_PER_WINDOW)
  assert.deepEqual(admitted.at(-1), { restLeftOutForMs: WINDOW_MS })
  assert.deepEqual(admitted[0], {})
  assert.deepEqual(limiter.admit('another'), {})
  await clock.advance(WINDOW_MS)
  assert.deepEqual(limiter.admit('reset'), { leftOut: 1_000 - LINES_PER_WINDOW })
  assert.deepEqual(limiter.admit('reset'), {})
})

test('a message that comes seldom is never cut', async () => {
  const clock = new VirtualClock()
  const limiter = new LineLimiter(clock)
  for (let i = 0; i < 200; i++) {
    const fields = limiter.admit('slow')
    assert.ok(fields !== undefined && !('leftOut' in fields))
    await clock.advance(WINDOW_MS / (LINES_PER_WINDOW - 1))
  }
})
