import { strict as assert } from 'node:assert'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromHex, systemRandom, toHex } from '@weft/core'
import * as fc from 'fast-check'
import { inverseOf, toBytes, toNumber } from '../../src/blind-rsa/big-numbers.ts'
import { blind, blindSign, blindWith, finalize, rsaNumbers, verifyPss } from '../../src/blind-rsa/blind-rsa.ts'
import { encodePss } from '../../src/blind-rsa/emsa-pss.ts'

const vector = JSON.parse(readFileSync(new URL('../vectors/rfc9474.json', import.meta.url), 'utf8')) as Record<
  string,
  string
>
const bytes = (name: string): Uint8Array => fromHex(vector[name] ?? '')
const base64 = (number: bigint): string =>
  Buffer.from(toBytes(number, Math.ceil(number.toString(16).length / 2))).toString('base64url')

/** The key of the vector, of 4,096 bits. */
function vectorKey(): ReturnType<typeof createPrivateKey> {
  const [n, d, p, q] = ['n', 'd', 'p', 'q'].map((name) => toNumber(bytes(name))) as [bigint, bigint, bigint, bigint]
  const jwk = { n, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverseOf(q, p) as bigint, e: 65_537n }
  const words = Object.fromEntries(Object.entries(jwk).map(([name, value]) => [name, base64(value)]))
  return createPrivateKey({ key: { kty: 'RSA', ...words }, format: 'jwk' })
}

test('RFC 9474, appendix A: RSABSSA-SHA384-PSS-Deterministic', () => {
  const secret = vectorKey()
  const open = rsaNumbers(secret)
  const [message, salt] = [bytes('msg'), bytes('salt')]
  assert.equal(toHex(encodePss(message, 4_095, salt)), vector['encoded_msg'])
  const r = inverseOf(toNumber(bytes('inv')), open.n) as bigint
  const made = blindWith(open, message, salt, r)
  assert.ok(made)
  assert.equal(toHex(made.inverse), vector['inv'])
  const signed = blindSign(secret, made.blinded)
  assert.equal(toHex(signed ?? new Uint8Array()), vector['blind_sig'])
  const signature = finalize(open, message, bytes('blind_sig'), made.inverse)
  assert.equal(toHex(signature ?? new Uint8Array()), vector['sig'])
  assert.ok(verifyPss(open, message, bytes('sig')))
})

const pair = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const open = rsaNumbers(createPublicKey(pair.publicKey.export({ format: 'pem', type: 'spki' })))

test('what was signed blindly is a signature over the message, and over no other', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (message, place) => {
      const { blinded, inverse } = blind(open, message, systemRandom)
      const signed = blindSign(pair.privateKey, blinded)
      assert.ok(signed)
      const signature = finalize(open, message, signed, inverse)
      assert.ok(signature)
      assert.ok(verifyPss(open, message, signature))
      assert.ok(!verifyPss(open, Uint8Array.of(...message, 0), signature))
      signature[place % signature.length] = (signature[place % signature.length] as number) ^ 1
      assert.ok(!verifyPss(open, message, signature))
    }),
    { numRuns: 20 },
  )
})

test('two blindings of one message have nothing in common, and their signatures neither', () => {
  const message = Uint8Array.of(1, 2, 3)
  const [one, other] = [blind(open, message, systemRandom), blind(open, message, systemRandom)]
  assert.notDeepEqual(one.blinded, other.blinded)
  const signed = blindSign(pair.privateKey, other.blinded) as Uint8Array
  assert.equal(finalize(open, message, signed, one.inverse), undefined)
})

test('what is no number below the modulus is neither signed nor unblinded', () => {
  const above = toBytes(open.n, 256)
  for (const wrong of [above, new Uint8Array(255), new Uint8Array(257), new Uint8Array(0), above.fill(255)]) {
    assert.equal(blindSign(pair.privateKey, wrong), undefined)
    assert.equal(finalize(open, new Uint8Array(), wrong, toBytes(1n, 256)), undefined)
    assert.ok(!verifyPss(open, new Uint8Array(), wrong))
  }
})

test('numbers and bytes stand for each other; an inverse is one', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 2n ** 256n }), fc.bigInt({ min: 2n, max: 2n ** 256n }), (number, modulus) => {
      assert.equal(toNumber(toBytes(number, 33)), number)
      const inverse = inverseOf(number, modulus)
      if (inverse !== undefined) assert.equal((inverse * number) % modulus, 1n)
    }),
  )
  assert.equal(inverseOf(6n, 9n), undefined)
  assert.throws(() => toBytes(256n, 1), RangeError)
})
