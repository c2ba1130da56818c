import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '@weft/core'
import { x25519KeyPair } from '../src/index.ts'

test('the keys of RFC 7748, section 6.1', () => {
  const published = {
    '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a':
      '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
    '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb':
      'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
  }
  for (const [secret, expected] of Object.entries(published)) {
    const { publicKey, secretKey } = x25519KeyPair(fromHex(secret))
    assert.equal(toHex(publicKey), expected)
    assert.equal(toHex(secretKey), secret)
  }
})

test('the bits that X25519 clamps (RFC 7748, section 5) make no other key', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (secret) => {
      const clamped = secret.slice()
      clamped[0] = (clamped[0] as number) & 248
      clamped[31] = ((clamped[31] as number) & 127) | 64
      assert.deepEqual(x25519KeyPair(clamped).publicKey, x25519KeyPair(secret).publicKey)
    }),
    { numRuns: 20 },
  )
})

test('another length than 32 is no secret key', () => {
  for (const length of [0, 31, 33]) assert.throws(() => x25519KeyPair(new Uint8Array(length)), RangeError)
})
