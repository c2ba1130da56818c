import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey } from '@weft/crypto'
import { RecordGetResponseSchema, RecordSchema, create, encodeMessage } from '@weft/wire'
import fc from 'fast-check'
import { encodeGetResponse } from '../../src/records/encode-get-response.ts'
import { makeImmutable, makeMutable } from '../../src/records/record.ts'

test('is what the generic encoder makes of the record', () => {
  const owner = SigningKey.generate()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40_000 }), fc.boolean(), (value, mutable) => {
      const { message } = mutable
        ? makeMutable({ owner, salt: value.subarray(0, 64), sequence: value.length, expiresAt: 1, value })
        : makeImmutable(value, value.length)
      const response = create(RecordGetResponseSchema, { record: message })
      assert.deepEqual(
        encodeGetResponse(encodeMessage(RecordSchema, message)),
        encodeMessage(RecordGetResponseSchema, response),
      )
    }),
    { numRuns: 50 },
  )
})
