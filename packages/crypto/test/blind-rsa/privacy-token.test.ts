import { strict as assert } from 'node:assert'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { concatBytes, fromHex, fromUtf8, systemRandom, toHex } from '@weft/core'
import * as fc from 'fast-check'
import { toNumber } from '../../src/blind-rsa/big-numbers.ts'
import { blindSign, blindWith, finalize, rsaNumbers } from '../../src/blind-rsa/blind-rsa.ts'
import { challengeDigest, isAuthentic, parseToken, TOKEN_BYTES, tokenInput } from '../../src/blind-rsa/privacy-token.ts'
import { TokenKey, TOKEN_KEY_BYTES, TokenSecret } from '../../src/blind-rsa/token-key.ts'
import { sha256 } from '../../src/hash.ts'

const file = JSON.parse(readFileSync(new URL('../vectors/rfc9578.json', import.meta.url), 'utf8')) as {
  readonly skS: string
  readonly pkS: string
  readonly vectors: readonly Record<
    'token_challenge' | 'nonce' | 'blind' | 'salt' | 'token_request' | 'token_response' | 'token',
    string
  >[]
}

/** The key of the vectors. OpenSSL signs nothing raw by a key of RSASSA-PSS: inside it is one of RSA, in PKCS #1. */
function vectorSecret(): ReturnType<typeof createPrivateKey> {
  const pem = fromUtf8(fromHex(file.skS))
  const der = Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64')
  const inner = der.subarray(der.indexOf(Buffer.from('0201000282010100', 'hex')) - 4)
  return createPrivateKey({ key: inner, format: 'der', type: 'pkcs1' })
}

test('RFC 9578, appendix A.2: tokens of type 2', () => {
  const secret = vectorSecret()
  const numbers = rsaNumbers(secret)
  const key = TokenKey.parse(fromHex(file.pkS))
  assert.ok(key)
  assert.deepEqual(TokenKey.ofKey(createPublicKey(secret)).bytes, key.bytes)
  for (const vector of file.vectors) {
    const challenge = sha256(fromHex(vector.token_challenge))
    const input = tokenInput(fromHex(vector.nonce), challenge, key)
    const made = blindWith(numbers, input, fromHex(vector.salt), toNumber(fromHex(vector.blind)))
    assert.ok(made)
    assert.equal(`0002${toHex(key.id.subarray(31))}${toHex(made.blinded)}`, vector.token_request)
    assert.equal(toHex(blindSign(secret, made.blinded) ?? new Uint8Array()), vector.token_response)
    const authenticator = key.finalize(input, fromHex(vector.token_response), made.inverse)
    assert.deepEqual(authenticator, finalize(numbers, input, fromHex(vector.token_response), made.inverse))
    assert.equal(toHex(concatBytes([input, authenticator ?? new Uint8Array()])), vector.token)
    const token = parseToken(fromHex(vector.token))
    assert.ok(token)
    assert.ok(isAuthentic(token, challenge, key))
    assert.ok(!isAuthentic(token, sha256(challenge), key))
  }
})

test('a challenge is digested as RFC 9577 has it', () => {
  const [vector] = file.vectors
  const context = fromHex(vector?.token_challenge.slice(38, 102) ?? '')
  assert.deepEqual(
    challengeDigest('issuer.example', context, 'origin.example'),
    sha256(fromHex(vector?.token_challenge ?? '')),
  )
  assert.throws(() => challengeDigest('issuer.example', new Uint8Array(31), ''), RangeError)
})

test('a key is taken to the last bit or not at all', async () => {
  const { key } = await TokenSecret.generate()
  assert.deepEqual(TokenKey.parse(key.bytes)?.id, key.id)
  assert.equal(key.bytes.length, TOKEN_KEY_BYTES)
  // Whatever stands around the modulus, its first bit and its last one.
  const frame = [...key.bytes.keys()].filter((at) => at < 81 || at >= TOKEN_KEY_BYTES - 5)
  for (const at of frame)
    for (const bit of [1, 128]) {
      const wrong = key.bytes.slice()
      wrong[at] = (wrong[at] as number) ^ bit
      assert.equal(TokenKey.parse(wrong), undefined, `byte ${at}`)
    }
  for (const [at, bit] of [
    [81, 0x80],
    [TOKEN_KEY_BYTES - 6, 1],
  ] as const) {
    const wrong = key.bytes.slice()
    wrong[at] = (wrong[at] as number) ^ bit
    assert.equal(TokenKey.parse(wrong), undefined)
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => assert.equal(TokenKey.parse(bytes), undefined)))
})

test('a secret key comes back from its file; other keys do not', async () => {
  const secret = await TokenSecret.generate()
  assert.deepEqual(TokenSecret.parse(secret.export())?.key.id, secret.key.id)
  assert.ok(!JSON.stringify(secret).includes(toHex(secret.export()).slice(60, 100)))
  const der = { format: 'der', type: 'pkcs8' } as const
  for (const { privateKey } of [
    generateKeyPairSync('rsa', { modulusLength: 1_024 }),
    generateKeyPairSync('rsa', { modulusLength: 2_048, publicExponent: 3 }),
    generateKeyPairSync('rsa-pss', { modulusLength: 2_048 }),
    generateKeyPairSync('ed25519'),
  ])
    assert.equal(TokenSecret.parse(privateKey.export(der)), undefined)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 99 }), (bytes) => assert.equal(TokenSecret.parse(bytes), undefined)))
})

test('a token has its length and type, and a changed bit makes it false', async () => {
  const secret = await TokenSecret.generate()
  const { key } = secret
  const challenge = challengeDigest('did:key:issuer', sha256(Uint8Array.of(1)), '')
  const input = tokenInput(systemRandom.bytes(32), challenge, key)
  const { blinded, inverse } = key.blind(input, systemRandom)
  const authenticator = key.finalize(input, secret.sign(blinded) as Uint8Array, inverse)
  const token = concatBytes([input, authenticator as Uint8Array])
  const whole = parseToken(token)
  assert.ok(whole && isAuthentic(whole, challenge, key))
  fc.assert(
    fc.property(fc.nat(TOKEN_BYTES - 1), fc.nat(7), (at, bit) => {
      const changed = token.slice()
      changed[at] = (changed[at] as number) ^ (1 << bit)
      const parsed = parseToken(changed)
      assert.equal(parsed === undefined, at < 2)
      if (parsed !== undefined) assert.ok(!isAuthentic(parsed, challenge, key))
    }),
  )
  for (const length of [0, 2, TOKEN_BYTES - 1, TOKEN_BYTES + 1])
    assert.equal(parseToken(concatBytes([token, token]).subarray(0, length)), undefined)
})
