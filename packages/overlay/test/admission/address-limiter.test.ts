import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { AddressLimiter } from '../../src/admission/address-limiter.ts'

const LIMIT = { burst: 3, refillMs: 1_000, addresses: 2 }

test('a burst passes, then one per refill time', async () => {
  const clock = new VirtualClock()
  const limiter = new AddressLimiter(LIMIT, clock)
  const take = (): boolean => limiter.take('/ip4/192.0.2.1/tcp/5')
  assert.deepEqual([take(), take(), take(), take()], [true, true, true, false])
  await clock.advance(1_000)
  assert.deepEqual([take(), take()], [true, false])
})

test('one host is one address whatever its port, and one IPv6 host all of its /64', () => {
  const limiter = new AddressLimiter({ ...LIMIT, burst: 1 }, new VirtualClock())
  assert.equal(limiter.take('/ip4/192.0.2.1/tcp/5'), true)
  assert.equal(limiter.take('/ip4/192.0.2.1/tcp/6'), false)
  assert.equal(limiter.take('/ip6/2001:db8::1/tcp/6'), true)
  assert.equal(limiter.take('/ip6/2001:db8:0:0:ffff::2/tcp/6'), false)
})

test('memory is bounded: the address unused longest is forgotten', () => {
  const limiter = new AddressLimiter({ ...LIMIT, burst: 1 }, new VirtualClock())
  for (const host of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) assert.equal(limiter.take(host), true)
  assert.equal(limiter.take('192.0.2.3'), false)
  assert.equal(limiter.take('192.0.2.1'), true)
})
