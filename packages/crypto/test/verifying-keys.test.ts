import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey } from '../src/index.ts'
import { VerifyingKeys } from '../src/verifying-keys.ts'

test('a key is made once while it is used, and is that of its bytes', () => {
  const keys = new VerifyingKeys()
  const [first, second] = [SigningKey.generate().publicKey, SigningKey.generate().publicKey]
  const made = keys.of(first)
  assert.equal(keys.of(first.slice()), made)
  assert.notEqual(keys.of(second), made)
  for (const publicKey of [first, second])
    assert.equal(
      keys.of(publicKey).export({ format: 'jwk' }).x,
      publicKey.toBase64({ alphabet: 'base64url', omitPadding: true }),
    )
})

test('so many keys are kept and no more; those in use stay', () => {
  const keys = new VerifyingKeys()
  const used = SigningKey.generate().publicKey
  const made = keys.of(used)
  for (let index = 0; index < 1_000; index++) {
    keys.of(new Uint8Array(32).fill(index).fill(index >> 8, 16))
    assert.equal(keys.of(used), made)
  }
  assert.ok(keys.size <= 256)
})
