import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '@weft/core'
import { TokenStore } from '../../src/http/token-store.ts'
import { testDirectory } from '../support/test-daemon.ts'

test('tokens outlive the daemon and end when their time is over', async (t) => {
  const path = join(testDirectory(t), 'tokens.json')
  const clock = new VirtualClock(1_000)
  const { token } = new TokenStore(path, clock).create('a', ['node:read'], 5_000)
  const again = new TokenStore(path, clock)
  assert.deepEqual(again.principalOf(token), { kind: 'token', name: 'a', grants: ['node:read'] })
  assert.throws(() => again.create('a', ['*'], 1), /E_TOKEN_NAME_TAKEN/)
  await clock.advance(5_000)
  assert.equal(again.principalOf(token), undefined)
  assert.deepEqual(again.list(), [])
  again.create('a', ['*'], 1)
})

test('the number of tokens is bounded', (t) => {
  const store = new TokenStore(join(testDirectory(t), 'tokens.json'), new VirtualClock())
  for (let index = 0; index < 256; index++) store.create(`t${index}`, ['*'], 1_000)
  assert.throws(() => store.create('one-more', ['*'], 1_000), /E_TOKEN_LIMIT/)
})

test('a file that is not as we write it is refused, not guessed at', (t) => {
  const path = join(testDirectory(t), 'tokens.json')
  const token = { id: 'i', name: 'n', scopes: ['*'], createdAt: 1, expiresAt: 2, hash: 'h' }
  for (const content of [
    '',
    '[]',
    '{}',
    '{"schemaVersion":2,"tokens":[]}',
    JSON.stringify({ schemaVersion: 1, tokens: [{ ...token, scopes: ['all'] }] }),
    JSON.stringify({ schemaVersion: 1, tokens: [{ ...token, hash: undefined }] }),
  ]) {
    writeFileSync(path, content)
    assert.throws(() => new TokenStore(path, new VirtualClock()), /E_TOKENS_FILE/, content)
  }
  writeFileSync(path, JSON.stringify({ schemaVersion: 1, tokens: [token] }))
  assert.equal(new TokenStore(path, new VirtualClock()).list().length, 1)
})

test('property: no text that was not handed out is a token', (t) => {
  const store = new TokenStore(join(testDirectory(t), 'tokens.json'), new VirtualClock())
  const { token } = store.create('a', ['*'], 1_000)
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constant(`${token} `), fc.constant(token.toUpperCase())), (text) =>
      assert.equal(store.principalOf(text), undefined),
    ),
  )
})
