import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { LINK_TTL_MS, SESSION_TTL_MS, SessionStore } from '../../src/http/session-store.ts'

test('a link works once and not after its time; a session ends', async () => {
  const clock = new VirtualClock()
  const store = new SessionStore(clock)
  const code = store.createLink(['node:read'])
  const session = store.open(code)
  assert.equal(session.expiresAt, clock.now() + SESSION_TTL_MS)
  assert.deepEqual(store.principalOf(session.secret)?.grants, ['node:read'])
  assert.equal(store.principalOf(code), undefined)
  assert.throws(() => store.open(code), /E_LINK_INVALID/)
  const late = store.createLink(['*'])
  await clock.advance(LINK_TTL_MS)
  assert.throws(() => store.open(late), /E_LINK_INVALID/)
  await clock.advance(SESSION_TTL_MS)
  assert.equal(store.principalOf(session.secret), undefined)
})

test('links and sessions are bounded: the oldest goes', () => {
  const store = new SessionStore(new VirtualClock())
  const first = store.createLink(['*'])
  for (let index = 0; index < 32; index++) store.createLink(['*'])
  assert.throws(() => store.open(first), /E_LINK_INVALID/)
  const session = store.open(store.createLink(['*']))
  for (let index = 0; index < 64; index++) store.open(store.createLink(['*']))
  assert.equal(store.principalOf(session.secret), undefined)
})
