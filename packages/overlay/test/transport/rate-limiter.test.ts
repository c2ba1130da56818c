import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import fc from 'fast-check'
import { RateLimiter } from '../../src/transport/rate-limiter.ts'
import { TokenBucket } from '../../src/transport/token-bucket.ts'

const ids: DidKey[] = Array.from({ length: 5 }, () => SigningKey.generate().id)

test('a bucket never gives more than its burst and its rate', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 1, max: 5 }))),
      (perSecond, burst, takes) => {
        const bucket = new TokenBucket({ perSecond, burst }, 0)
        let now = 0
        let given = 0
        for (const [pause, cost] of takes) {
          now += pause
          if (bucket.take(cost, now)) given += cost
        }
        assert.ok(given <= burst + (now / 1_000) * perSecond + 1e-6)
      },
    ),
  )
})

test('callers do not share a rate, and a spent one comes back with time', async () => {
  const clock = new VirtualClock()
  const rate = { perSecond: 10, burst: 2 }
  const limiter = new RateLimiter(clock, () => rate)
  const [a, b] = ids as [DidKey, DidKey]
  assert.deepEqual([limiter.take(a, 1), limiter.take(a, 1), limiter.take(a, 1)], [true, true, false])
  assert.equal(limiter.take(b, 1), true)
  await clock.advance(100)
  assert.deepEqual([limiter.take(a, 1), limiter.take(a, 1)], [true, false])
})

test('only a bounded number of callers is remembered, the longest unseen goes first', () => {
  const rate = { perSecond: 1, burst: 1 }
  const limiter = new RateLimiter(new VirtualClock(), () => rate, 3)
  for (const id of ids) assert.equal(limiter.take(id, 1), true)
  assert.equal(limiter.callers, 3)
  assert.equal(limiter.take(ids[4]!, 1), false)
  assert.equal(limiter.take(ids[0]!, 1), true)
})

test('a caller that was certified meanwhile gets the rate of a member', () => {
  let rate = { perSecond: 1, burst: 1 }
  const limiter = new RateLimiter(new VirtualClock(), () => rate)
  assert.deepEqual([limiter.take(ids[0]!, 1), limiter.take(ids[0]!, 1)], [true, false])
  rate = { perSecond: 1, burst: 5 }
  assert.equal(limiter.take(ids[0]!, 5), true)
})
