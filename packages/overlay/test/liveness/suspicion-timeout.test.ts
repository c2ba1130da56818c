import assert from 'node:assert/strict'
import { test } from 'node:test'
import { suspicionTimeout } from '../../src/liveness/suspicion-timeout.ts'

test('the timeout falls with each observer, by less each time, between its bounds', () => {
  const times = Array.from({ length: 12 }, (_, others) => suspicionTimeout(others))
  assert.equal(times[0], 6_500)
  assert.equal(Math.round(times[8] as number), 4_000)
  assert.deepEqual(times.slice(9), [times[8], times[8], times[8]])
  for (let at = 1; at < 8; at++) {
    const [before = 0, here = 0, after = 0] = times.slice(at - 1)
    assert.ok(before - here > here - after && here > after)
  }
})
