import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExitWitnesses } from '../../src/engine/exit-witnesses.ts'
import { makeMember } from '../route/make-member.ts'

const [a, b] = [makeMember(1, ['relay']).id, makeMember(2, ['relay']).id]
const GONE = Infinity

test('an exit is gone when two relays agree and it has been silent for 1.7 s, or both say so', () => {
  const both = (ms: number) => [
    { relay: a, ms },
    { relay: b, ms: 700 },
  ]
  const witnesses = new ExitWitnesses()
  assert.equal(witnesses.verdict(both(1_699), 5_000), undefined)
  assert.deepEqual(witnesses.verdict(both(1_700), 5_000), [a, b])
  assert.equal(witnesses.verdict([{ relay: a, ms: 60_000 }], 5_000), undefined)
  witnesses.ended({ relay: a, ms: GONE }, 5_000)
  assert.equal(witnesses.verdict([], 5_000), undefined)
  assert.equal(witnesses.verdict([{ relay: a, ms: 60_000 }], 5_000), undefined)
  // The word of one does not make a moment of silence more.
  assert.equal(witnesses.verdict([{ relay: b, ms: 1_699 }], 5_000), undefined)
  assert.deepEqual(witnesses.verdict([{ relay: b, ms: 1_700 }], 5_000), [a, b])
  witnesses.ended({ relay: b, ms: GONE }, 5_000)
  assert.deepEqual(witnesses.verdict([], 5_000), [a, b])
})

test('what a leg ended with counts for 10 s, and until the exit says something', () => {
  const standing = [{ relay: b, ms: 1_700 }]
  const witnesses = new ExitWitnesses()
  witnesses.ended({ relay: a, ms: GONE }, 5_000)
  assert.ok(witnesses.verdict(standing, 15_000) !== undefined)
  assert.equal(witnesses.verdict(standing, 15_001), undefined)
  witnesses.ended({ relay: a, ms: GONE }, 20_000)
  // That was under way.
  witnesses.heard(20_500)
  assert.ok(witnesses.verdict(standing, 22_200) !== undefined)
  witnesses.heard(20_501)
  assert.equal(witnesses.verdict(standing, 22_201), undefined)
})

test('no leg is silent for longer than since the exit said something over another one', () => {
  const standing = [
    { relay: a, ms: 4_000 },
    { relay: b, ms: 700 },
  ]
  const witnesses = new ExitWitnesses()
  witnesses.heard(5_000)
  assert.equal(witnesses.verdict(standing, 6_699), undefined)
  assert.deepEqual(witnesses.verdict(standing, 6_700), [a, b])
})
