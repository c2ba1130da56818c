import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExitWitnesses } from '../../src/engine/exit-witnesses.ts'
import { makeMember } from '../route/make-member.ts'

const [a, b] = [makeMember(1, ['relay']).id, makeMember(2, ['relay']).id]

test('an exit is gone when two relays agree, and it has been silent for 1.7 s or one of them says so', () => {
  const both = (ms: number) => [
    { relay: a, ms },
    { relay: b, ms: 700 },
  ]
  const witnesses = new ExitWitnesses()
  assert.equal(witnesses.verdict(both(1_699), 5_000), undefined)
  assert.deepEqual(witnesses.verdict(both(1_700), 5_000), [a, b])
  assert.equal(witnesses.verdict([{ relay: a, ms: 60_000 }], 5_000), undefined)
  witnesses.ended({ relay: a, ms: Infinity }, 5_000)
  assert.equal(witnesses.verdict([], 5_000), undefined)
  assert.equal(witnesses.verdict([{ relay: a, ms: 60_000 }], 5_000), undefined)
  assert.deepEqual(witnesses.verdict([{ relay: b, ms: 700 }], 5_000), [a, b])
})

test('what a leg ended with counts for 10 s, and until the exit says something', () => {
  const standing = [{ relay: b, ms: 700 }]
  const witnesses = new ExitWitnesses()
  witnesses.ended({ relay: a, ms: Infinity }, 5_000)
  assert.ok(witnesses.verdict(standing, 15_000) !== undefined)
  assert.equal(witnesses.verdict(standing, 15_001), undefined)
  witnesses.ended({ relay: a, ms: Infinity }, 20_000)
  witnesses.clear()
  assert.equal(witnesses.verdict(standing, 20_000), undefined)
})
