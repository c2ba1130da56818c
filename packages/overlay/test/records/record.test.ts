import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createPublicKey, verify } from 'node:crypto'
import { concatBytes, fromHex, isWeftError, utf8 } from '@weft/core'
import { SigningKey, sha256 } from '@weft/crypto'
import { RecordSchema, create, decodeMessage, encodeMessage } from '@weft/wire'
import { encode } from '@ipld/dag-cbor'
import fc from 'fast-check'
import { compareVersions, isSameRecord, makeImmutable, makeMutable, verifyRecord } from '../../src/records/record.ts'
import vectors from '../vectors/records.json' with { type: 'json' }

const owner = new SigningKey(fromHex(vectors.seed))
const salt = fromHex(vectors.salt)
const value = fromHex(vectors.value)
const { sequence, expiresAt } = vectors
const refused = (bytes: Uint8Array): boolean => {
  try {
    verifyRecord(decodeMessage(RecordSchema, bytes, 70_000))
    return false
  } catch (error) {
    return isWeftError(error)
  }
}

describe('record', () => {
  it('has the bytes of the vectors', () => {
    const mutable = makeMutable({ owner, salt, sequence, expiresAt, value })
    const immutable = makeImmutable(value, expiresAt)
    for (const [record, vector] of [
      [mutable, vectors.mutable],
      [immutable, vectors.immutable],
    ] as const) {
      assert.equal(record.key.toHex(), vector.key)
      assert.equal(encodeMessage(RecordSchema, record.message).toHex(), vector.message)
      const read = verifyRecord(decodeMessage(RecordSchema, fromHex(vector.message), 70_000))
      assert.deepEqual(read, record)
      assert.ok(isSameRecord(read.message, record.message))
    }
    assert.ok(!isSameRecord(mutable.message, immutable.message))
  })

  it('signs what the specification says, checked without our code', () => {
    const { message } = makeMutable({ owner, salt, sequence, expiresAt, value })
    assert.ok(message.kind.case === 'mutable')
    const signed = concatBytes([utf8('weft:record:v1\0'), encode([salt, sequence, expiresAt, sha256(value)])])
    const x = Buffer.from(owner.publicKey).toString('base64url')
    const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } })
    assert.ok(verify(null, signed, key, message.kind.value.signature))
  })

  it('never reads a mutable record with one changed bit as another one', () => {
    const bytes = fromHex(vectors.mutable.message)
    const original = verifyRecord(decodeMessage(RecordSchema, bytes, 70_000))
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      if (refused(changed)) continue
      // Protobuf writes some things in two ways (a wire type that is not looked at); what it says is then the same.
      const read = verifyRecord(decodeMessage(RecordSchema, changed, 70_000))
      assert.ok(isSameRecord(read.message, original.message) || read.kind === 'immutable', `bit ${bit}`)
    }
  })

  it('refuses arbitrary bytes with an error of ours', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        if (refused(bytes)) return
        assert.equal(verifyRecord(decodeMessage(RecordSchema, bytes, 70_000)).kind, 'immutable')
      }),
    )
  })

  it('refuses numbers beyond 2^53 - 1 and owners that are no keys', () => {
    const { message } = makeMutable({ owner, salt, sequence, expiresAt, value })
    assert.ok(message.kind.case === 'mutable')
    const good = message.kind.value
    for (const change of [
      { sequence: 2n ** 53n },
      { expiresAt: 2n ** 64n - 1n },
      { owner: new Uint8Array(31) },
      { salt: new Uint8Array(65) },
    ]) {
      assert.throws(
        () => verifyRecord(create(RecordSchema, { kind: { case: 'mutable', value: { ...good, ...change } } })),
        (error: unknown) => isWeftError(error, 'E_RECORD_INVALID'),
      )
    }
    assert.throws(
      () => verifyRecord(undefined),
      (error: unknown) => isWeftError(error, 'E_RECORD_INVALID'),
    )
  })

  it('orders versions so that two can never replace each other', () => {
    const version = fc.record({
      sequence: fc.nat(3),
      expiresAt: fc.nat(3),
      valueHash: fc.constantFrom(sha256(utf8('a')), sha256(utf8('b'))),
    })
    const replaces = (relation: string): boolean => relation === 'newer' || relation === 'longer'
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        assert.ok(!(replaces(compareVersions(a, b)) && replaces(compareVersions(b, a))))
        if (replaces(compareVersions(a, b)) && replaces(compareVersions(b, c)))
          assert.ok(replaces(compareVersions(a, c)))
        assert.equal(compareVersions(a, b) === 'fork', compareVersions(b, a) === 'fork')
      }),
    )
  })
})
