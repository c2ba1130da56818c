import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InitiationTimes } from '../../src/link/initiation-times.ts'

const key = (n: number) => new Uint8Array(32).fill(n)
const now = 1_700_000_000_000

describe('InitiationTimes', () => {
  it('takes a time once, only rising, and within five minutes', () => {
    const times = new InitiationTimes()
    assert.ok(times.accept(key(1), 0, now, now))
    assert.ok(!times.accept(key(1), 0, now, now))
    assert.ok(!times.accept(key(1), 0, now - 1, now))
    assert.ok(times.accept(key(1), 0, now + 1, now))
    assert.ok(times.accept(key(2), 0, now - 300_000, now))
    assert.ok(!times.accept(key(3), 0, now - 300_001, now))
    assert.ok(!times.accept(key(3), 0, now + 300_001, now))
    assert.ok(!times.accept(key(1), 0, now + 1, now + 200_000))
  })

  it('holds a replay off for as long as its time would be taken', () => {
    const times = new InitiationTimes()
    assert.ok(times.accept(key(1), 0, now + 300_000, now))
    for (let later = 0; later <= 700_000; later += 50_000) {
      assert.ok(times.accept(key(2), 0, now + later, now + later))
      assert.ok(!times.accept(key(1), 0, now + 300_000, now + later))
    }
  })

  it('keeps no more keys than it may', () => {
    const times = new InitiationTimes(2)
    for (const n of [1, 2, 3]) assert.ok(times.accept(key(n), 0, now, now))
    assert.ok(times.accept(key(1), 0, now, now), 'the oldest is forgotten')
    assert.ok(!times.accept(key(3), 0, now, now))
  })
})
