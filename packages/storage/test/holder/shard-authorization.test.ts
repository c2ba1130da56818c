import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concatBytes, fromHex, isWeftError, utf8 } from '@weft/core'
import { SigningKey, verifySignature } from '@weft/crypto'
import {
  authorizeCommit,
  authorizePut,
  authorizeRelease,
  verifyCommit,
  verifyPut,
  verifyRelease,
} from '../../src/holder/shard-authorization.ts'

const object = new SigningKey(new Uint8Array(32).fill(7))

describe('shard authorization', () => {
  it('writes whole numbers in the shortest form of CBOR (RFC 8949, appendix A)', () => {
    const cases: [number, string][] = [
      [0, '00'],
      [23, '17'],
      [24, '1818'],
      [255, '18ff'],
      [256, '190100'],
      [1_000_000, '1a000f4240'],
      [1_000_000_000_000, '1b000000e8d4a51000'],
      [Number.MAX_SAFE_INTEGER, '1b001fffffffffffff'],
    ]
    for (const [expiresAt, hex] of cases) {
      const statement = concatBytes([fromHex('8366'), utf8('commit'), fromHex('5820'), object.publicKey, fromHex(hex)])
      assert.ok(
        verifySignature('object', statement, authorizeCommit(object, expiresAt).signature, object.publicKey),
        hex,
      )
    }
  })

  it('accepts only the owner, the statement and the purpose that were signed', () => {
    const commit = authorizeCommit(object, 5)
    const release = authorizeRelease(object)
    verifyCommit(commit)
    verifyRelease(release)
    const peer = SigningKey.generate().id
    const put = authorizePut(object, peer)
    verifyPut(put)
    const invalid = (error: unknown): boolean => isWeftError(error, 'E_SIGNATURE_INVALID')
    assert.throws(() => verifyPut({ ...put, peer: SigningKey.generate().id }), invalid)
    assert.throws(() => verifyPut({ ...put, object: SigningKey.generate().publicKey }), invalid)
    assert.throws(() => verifyPut({ ...put, signature: commit.signature }), invalid)
    assert.throws(() => verifyCommit({ ...commit, expiresAt: 6 }), invalid)
    assert.throws(() => verifyCommit({ ...commit, object: SigningKey.generate().publicKey }), invalid)
    assert.throws(() => verifyRelease({ object: object.publicKey, signature: commit.signature }), invalid)
    assert.throws(() => verifyRelease({ object: object.publicKey, signature: new Uint8Array(3) }), invalid)
  })
})
