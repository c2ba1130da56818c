import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { MAX_SHARD_MESSAGE, ShardRemovedSchema, create, decodeMessage, encodeMessage } from '@weft/wire'
import fc from 'fast-check'
import {
  type DeletionStatement,
  parseDeletion,
  signDeletion,
  verifyDeletion,
} from '../../src/holder/deletion-statement.ts'

const holder = new SigningKey(new Uint8Array(32).fill(1))
const object = new SigningKey(new Uint8Array(32).fill(2)).publicKey
const whole = fc.maxSafeNat()

function worthless(error: unknown): boolean {
  return isWeftError(error, 'E_DELETION_STATEMENT') || assert.fail(String(error))
}

test('a statement holds for what was signed, and for nothing else', () => {
  const numbers = fc.record({ shards: whole, bytes: whole, at: whole, until: whole })
  const field = fc.constantFrom('shards', 'bytes', 'at', 'until')
  fc.assert(
    fc.property(numbers, field, fc.oneof(whole, fc.integer(), fc.double()), fc.nat(63), (deletion, name, other, at) => {
      const statement = signDeletion(holder, object, deletion)
      verifyDeletion(statement)
      const flipped = statement.signature.slice()
      flipped[at]! ^= 1
      const wrong: DeletionStatement[] = [
        { ...statement, signature: flipped },
        { ...statement, holder: new SigningKey(new Uint8Array(32).fill(3)).id },
        { ...statement, object: holder.publicKey },
        ...(other === deletion[name] ? [] : [{ ...statement, [name]: other }]),
      ]
      for (const one of wrong) assert.throws(() => verifyDeletion(one), worthless)
    }),
    { numRuns: 100 },
  )
})

test('a signature that the holder gave for anything else is none', () => {
  const statement = signDeletion(holder, object, { shards: 1, bytes: 2, at: 3, until: 4 })
  const message = new Uint8Array(32)
  for (const purpose of ['object', 'shard-release', 'record'] as const) {
    assert.throws(() => verifyDeletion({ ...statement, signature: holder.sign(purpose, message) }), worthless)
  }
})

test('whatever a holder answers is the statement that it signed, or refused', () => {
  const number = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
  const message = fc.record({
    shards: number,
    bytes: number,
    at: number,
    until: number,
    signature: fc.uint8Array({ maxLength: 200 }),
  })
  fc.assert(
    fc.property(message, (value) => {
      assert.throws(() => parseDeletion(create(ShardRemovedSchema, value), object, holder.id), worthless)
    }),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      let decoded
      try {
        decoded = decodeMessage(ShardRemovedSchema, bytes, MAX_SHARD_MESSAGE)
      } catch (error) {
        assert.ok(isWeftError(error))
        return
      }
      assert.throws(() => parseDeletion(decoded, object, holder.id), worthless)
    }),
    { numRuns: 1_000 },
  )
  const signed = signDeletion(holder, object, { shards: 3, bytes: 5, at: 7, until: 0 })
  const sent = create(ShardRemovedSchema, { shards: 3n, bytes: 5n, at: 7n, until: 0n, signature: signed.signature })
  const received = decodeMessage(ShardRemovedSchema, encodeMessage(ShardRemovedSchema, sent), MAX_SHARD_MESSAGE)
  assert.deepEqual(parseDeletion(received, object, holder.id), signed)
})
