import assert from 'node:assert/strict'
import { test } from 'node:test'
import { poissonBound } from '../../bench/lib/poisson-bound.ts'

test('the bounds of rare events are those of the tables', () => {
  // Half of the chi-squared quantile of 0.95 with 2 (n + 1) degrees of freedom.
  for (const [seen, bound] of [
    [0, 2.996],
    [1, 4.744],
    [10, 16.962],
  ] as const) {
    assert.ok(Math.abs(poissonBound(seen) - bound) < 0.001, `${seen}`)
  }
})
