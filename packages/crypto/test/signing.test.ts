import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { describe, it } from 'node:test'
import { concatBytes, fromHex, toHex, utf8 } from '@weft/core'
import fc from 'fast-check'
import { createPublicKey, verify } from 'node:crypto'
import {
  SigningKey,
  fromDidKey,
  isDidKey,
  openEnvelope,
  sealEnvelope,
  toDidKey,
  verifySignature,
} from '../src/index.ts'

// RFC 8032, section 7.1, TEST 1.
const SEED = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
const PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'

describe('SigningKey', () => {
  it('derives the public key of RFC 8032 TEST 1', () => {
    assert.equal(toHex(new SigningKey(SEED).publicKey), PUBLIC)
  })

  it('signs weft:<purpose>:v1, a zero byte and the exact bytes', () => {
    const key = new SigningKey(SEED)
    const bytes = utf8('hello')
    const der = concatBytes([fromHex('302a300506032b6570032100'), key.publicKey])
    const publicKey = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
    assert.ok(verify(null, concatBytes([utf8('weft:vote:v1\0'), bytes]), publicKey, key.sign('vote', bytes)))
  })

  it('accepts only the same purpose, bytes, signature and key', () => {
    const key = new SigningKey(SEED)
    const other = SigningKey.generate()
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), (bytes, at) => {
        const signature = key.sign('vote', bytes)
        assert.ok(verifySignature('vote', bytes, signature, key.publicKey))
        assert.ok(!verifySignature('map', bytes, signature, key.publicKey))
        assert.ok(!verifySignature('vote', bytes, signature, other.publicKey))
        const flip = (source: Uint8Array): Uint8Array => {
          const copy = source.slice()
          copy[at % copy.length] = (copy[at % copy.length] as number) ^ (1 << (at % 8))
          return copy
        }
        assert.ok(!verifySignature('vote', flip(bytes), signature, key.publicKey))
        assert.ok(!verifySignature('vote', bytes, flip(signature), key.publicKey))
        assert.ok(!verifySignature('vote', bytes, signature.subarray(1), key.publicKey))
        assert.ok(!verifySignature('vote', bytes, signature, key.publicKey.subarray(1)))
      }),
      { numRuns: 30 },
    )
  })

  it('shows its secret neither in JSON nor to a debugger print', () => {
    const key = new SigningKey(SEED)
    const shown = JSON.stringify(key) + inspect(key, { depth: 5, showHidden: true })
    assert.ok(!shown.includes(toHex(SEED)))
    assert.ok(!shown.includes('157, 97, 177, 157'))
  })
})

describe('did:key', () => {
  it('has the published form of the W3C did:key test vectors', () => {
    // did:key specification, Ed25519 vectors: seed 0 …00.
    const key = new SigningKey(new Uint8Array(32))
    assert.equal(key.id, 'did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp')
    assert.deepEqual(fromDidKey(key.id), key.publicKey)
  })

  it('round-trips every key and refuses every other text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        assert.deepEqual(fromDidKey(toDidKey(bytes)), bytes)
      }),
    )
    fc.assert(fc.property(fc.string(), (text) => assert.ok(!isDidKey(text))))
    const id = new SigningKey(SEED).id
    for (const wrong of [
      `${id}1`,
      id.slice(0, -1),
      id.replace('did:key:', ''),
      id.replace('z6Mk', 'z6Ll'),
      `did:key:z${'1'.repeat(5_000)}`,
    ]) {
      assert.throws(() => fromDidKey(wrong), { code: 'E_DID_INVALID' })
    }
    assert.throws(() => toDidKey(new Uint8Array(31)), RangeError)
  })
})

describe('signed envelopes', () => {
  it('open to the payload as it arrived, and not for another purpose or payload', () => {
    const key = SigningKey.generate()
    const envelope = sealEnvelope('application', utf8('let me in'), key)
    assert.deepEqual(openEnvelope('application', envelope), { payload: utf8('let me in'), signer: key.id })
    assert.throws(() => openEnvelope('vote', envelope), { code: 'E_SIGNATURE_INVALID' })
    assert.throws(() => openEnvelope('application', { ...envelope, payload: utf8('let me out') }), {
      code: 'E_SIGNATURE_INVALID',
    })
    assert.throws(() => openEnvelope('application', { ...envelope, signer: SigningKey.generate().publicKey }), {
      code: 'E_SIGNATURE_INVALID',
    })
  })
})
