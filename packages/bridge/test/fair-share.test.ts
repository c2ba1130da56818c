import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FairShare } from '../src/fair-share.ts'

/** Bytes that each of several gets in ten seconds who all want as much as there is, in chunks of 16 KiB. */
function play(bytesPerSecond: number, users: readonly string[]): ReadonlyMap<string, number> {
  let now = 0
  const share = new FairShare<string>(bytesPerSecond, { monotonic: () => now })
  const got = new Map<string, number>()
  const ready = new Map(users.map((user) => [user, 0]))
  for (; now < 10_000; now++)
    for (const [user, at] of ready) {
      if (at > now) continue
      got.set(user, (got.get(user) ?? 0) + 16_384)
      ready.set(user, now + share.take(user, 16_384))
    }
  return got
}

describe('the bandwidth of a bridge', () => {
  test('is all for one who is alone', () => {
    const got = play(1_000_000, ['a']).get('a') ?? 0
    assert.ok(got > 9_500_000 && got < 10_500_000, String(got))
  })

  test('is shared equally, and no more than there is', () => {
    const got = [...play(1_000_000, ['a', 'b', 'c', 'd']).values()]
    const sum = got.reduce((total, each) => total + each)
    assert.ok(sum > 9_000_000 && sum < 11_500_000, String(sum))
    assert.ok(Math.max(...got) < 1.1 * Math.min(...got))
  })

  test('is no matter without a limit', () => {
    assert.equal(new FairShare<string>(undefined, { monotonic: () => 0 }).take('a', 1e12), 0)
  })
})
