import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import { CallLimiter } from '../../src/transport/call-limiter.ts'
import { ADDRESS_CALL_RATE, MEMBER_CALL_RATE } from '../../src/transport/limits.ts'

const members = new Set<DidKey>()
const access = { allows: (id: DidKey, rank: string) => rank === 'anyone' || members.has(id) }

function ids(count: number): DidKey[] {
  return Array.from({ length: count }, () => SigningKey.generate().id)
}

/** How many calls of cost 100 pass that these callers make at once from these addresses. */
function passed(limiter: CallLimiter, callers: readonly DidKey[], addressOf: (index: number) => string): number {
  let count = 0
  for (const [index, id] of callers.entries())
    for (let i = 0; i < 200; i++) if (limiter.take({ id, address: addressOf(index) }, 100)) count++
  return count
}

test('new identities do not give an address a larger rate, nor does all of an IPv6 /64', () => {
  const share = ADDRESS_CALL_RATE.burst / 100
  assert.equal(
    passed(new CallLimiter(new VirtualClock(), access), ids(5), () => '/ip4/192.0.2.1/tcp/1'),
    share,
  )
  const spread = (index: number): string => `/ip6/2001:db8::${index + 1}/tcp/1`
  assert.equal(passed(new CallLimiter(new VirtualClock(), access), ids(5), spread), share)
})

test('other addresses, members and loopback are not held up by it', async () => {
  const clock = new VirtualClock()
  const limiter = new CallLimiter(clock, access)
  const [member, ...strangers] = ids(6) as [DidKey, ...DidKey[]]
  members.add(member)
  const crowded = '/ip4/192.0.2.1/tcp/1'
  passed(limiter, strangers, () => crowded)
  assert.equal(limiter.take({ id: strangers[4]!, address: crowded }, 1), false)
  assert.equal(
    passed(limiter, [member], () => crowded),
    MEMBER_CALL_RATE.burst / 100,
  )
  const [a, b, c] = ids(3) as [DidKey, DidKey, DidKey]
  assert.equal(limiter.take({ id: a, address: '/ip4/192.0.2.2/tcp/1' }, 100), true)
  const local = [b, c].map(() => '/ip4/127.0.0.1/tcp/1')
  assert.equal(
    passed(limiter, [b, c], (index) => local[index]!),
    (2 * ADDRESS_CALL_RATE.burst) / 100,
  )
  await clock.advance(1_000)
  assert.equal(limiter.take({ id: strangers[4]!, address: crowded }, 100), true)
})

test('it is known when a caller asked last', async () => {
  const clock = new VirtualClock()
  const limiter = new CallLimiter(clock, access)
  const [id] = ids(1) as [DidKey]
  assert.equal(limiter.lastCall(id), undefined)
  await clock.advance(500)
  limiter.take({ id, address: '/ip4/192.0.2.1/tcp/1' }, 1)
  assert.equal(limiter.lastCall(id), clock.monotonic())
})
