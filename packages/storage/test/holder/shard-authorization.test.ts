import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concatBytes, fromHex, isWeftError, toHex, utf8 } from '@weft/core'
import { SigningKey, verifySignature } from '@weft/crypto'
import { authorizeCommit, authorizeRelease, verifyCommit, verifyRelease } from '../../src/holder/shard-authorization.ts'

const object = new SigningKey(new Uint8Array(32).fill(7))

describe('shard authorization', () => {
  it('has the signatures of the vectors (docs/specs/shards.md)', () => {
    assert.equal(
      toHex(authorizeCommit(object, 1_800_000_000_000).signature),
      'd31494f279c785f3f329e084da19092a53134435a876d7970519b00e661cae77fe925f2ad9263ead3b2625032e3a6c1dab197cd3e7a05567930ae6d9f5ea3b07',
    )
    assert.equal(
      toHex(authorizeRelease(object).signature),
      '1fd66ecddd5ebe5d1e4323a438547c4f5131ce2963350ec036a490eb96b1dd726be0da21ea1f6ba02ecd44a327ec6e8ef880468eeb34ff61136337f955dd2a0c',
    )
  })

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
    const invalid = (error: unknown): boolean => isWeftError(error, 'E_SIGNATURE_INVALID')
    assert.throws(() => verifyCommit({ ...commit, expiresAt: 6 }), invalid)
    assert.throws(() => verifyCommit({ ...commit, object: SigningKey.generate().publicKey }), invalid)
    assert.throws(() => verifyRelease({ object: object.publicKey, signature: commit.signature }), invalid)
    assert.throws(() => verifyRelease({ object: object.publicKey, signature: new Uint8Array(3) }), invalid)
  })
})
