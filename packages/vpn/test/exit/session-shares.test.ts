import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SessionShares } from '../../src/exit/session-shares.ts'

/** How many a session gets. */
function takeAll(shares: SessionShares, session: object): number {
  let taken = 0
  while (shares.take(session)) taken++
  return taken
}

test('a session has an eighth of what is free, so that others find places however many take theirs', () => {
  const shares = new SessionShares(512)
  const greedy = Array.from({ length: 8 }, () => ({}))
  const taken = greedy.map((session) => takeAll(shares, session))
  assert.equal(taken[0], 57)
  // Those who came first have more than who came last, until they give some back and take anew.
  for (let round = 0; round < 20; round++)
    for (const [at, session] of greedy.entries()) {
      for (let count = taken[at] ?? 0; count > 0; count--) shares.give(session)
      taken[at] = takeAll(shares, session)
    }
  assert.ok(shares.used <= 256 + 8, `${shares.used}`)
  assert.ok(takeAll(shares, {}) >= 28)
})

test('what is given back is free for the session and for others', () => {
  const shares = new SessionShares(16)
  const [one, other] = [{}, {}]
  assert.equal(takeAll(shares, one), 2)
  shares.give(one)
  assert.equal(shares.used, 1)
  assert.ok(shares.hasRoom(one))
  assert.ok(shares.take(one))
  assert.equal(takeAll(shares, other), 2)
})

test('each session has one place while any is free, and none when all are taken', () => {
  const shares = new SessionShares(4)
  const sessions = Array.from({ length: 5 }, () => ({}))
  assert.deepEqual(
    sessions.map((session) => takeAll(shares, session)),
    [1, 1, 1, 1, 0],
  )
})

test('what a session has elsewhere counts where that is more', () => {
  const shares = new SessionShares(80)
  assert.ok(shares.hasRoom({}, 9))
  assert.equal(shares.hasRoom({}, 10), false)
})
