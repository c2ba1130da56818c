import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PrefixRates } from '../../src/link/prefix-rates.ts'

test('each prefix has a rate of its own, and a burst of a second', () => {
  const rates = new PrefixRates(3)
  const taken = (prefix: string, now: number): boolean[] => [1, 2, 3, 4].map(() => rates.take(prefix, now))
  assert.deepEqual(taken('a', 0), [true, true, true, false])
  assert.deepEqual(taken('b', 0), [true, true, true, false])
  assert.deepEqual(taken('a', 400), [true, false, false, false])
})

test('memory is bounded: a prefix that was not heard of for a second makes room, one that was does not', () => {
  const rates = new PrefixRates(2, 3)
  for (const prefix of ['a', 'b', 'c']) assert.ok(rates.take(prefix, 0))
  assert.equal(rates.take('d', 999), false)
  assert.ok(rates.take('a', 999))
  assert.ok(rates.take('d', 1_000))
  assert.equal(rates.size, 3)
  // Not `a`, which came lately, but `b` had to go: its next bucket is a full one, as its old one would be.
  assert.deepEqual(
    ['b', 'b', 'b'].map((prefix) => rates.take(prefix, 1_000)),
    [true, true, false],
  )
  assert.equal(rates.size, 3)
})
