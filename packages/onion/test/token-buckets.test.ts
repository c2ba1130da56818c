import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TokenBuckets } from '../src/token-buckets.ts'

test('each name has a rate and a burst of its own', () => {
  const rates = new TokenBuckets(3, 3)
  const taken = (name: string, now: number): boolean[] => [1, 2, 3, 4].map(() => rates.take(name, now))
  assert.deepEqual(taken('a', 0), [true, true, true, false])
  assert.deepEqual(taken('b', 0), [true, true, true, false])
  assert.deepEqual(taken('a', 400), [true, false, false, false])
})

test('memory is bounded: a name whose bucket is full again makes room, one that was does not', () => {
  const rates = new TokenBuckets(2, 2, 3)
  for (const name of ['a', 'b', 'c']) assert.ok(rates.take(name, 0))
  assert.equal(rates.take('d', 999), false)
  assert.ok(rates.take('a', 999))
  assert.ok(rates.take('d', 1_000))
  assert.equal(rates.size, 3)
  // Not `a`, which came lately, but `b` had to go: its next bucket is a full one, as its old one would be.
  assert.deepEqual(
    ['b', 'b', 'b'].map((name) => rates.take(name, 1_000)),
    [true, true, false],
  )
  assert.equal(rates.size, 3)
})
