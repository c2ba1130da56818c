import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitingState } from '../src/output/revocation-state.ts'

test('a vote for a way back waits only where its node is ejected', () => {
  const pending = { id: 'a', blockedUntil: 1, decidedAt: 1, voters: ['v'] }
  const back = { ...pending, reason: 'withdrawn' } as const
  const inForce = (id: string, reason: 'abuse' | 'withdrawn') => {
    return { inForce: [{ id, reason, issuedUpTo: 1, blockedUntil: 1, decidedAt: 1, votes: 3 }], pending: [] }
  }
  assert.equal(waitingState({ ...pending, reason: 'abuse' }, { inForce: [], pending: [] }), 'waits for votes')
  assert.equal(waitingState(back, inForce('a', 'abuse')), 'way back waits for votes')
  for (const lists of [{ inForce: [], pending: [] }, inForce('b', 'abuse'), inForce('a', 'withdrawn')])
    assert.equal(waitingState(back, lists), 'not ejected; counts should it be')
})
