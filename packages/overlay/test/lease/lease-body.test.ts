import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode } from '@ipld/dag-cbor'
import fc from 'fast-check'
import { isWeftError } from '@weft/core'
import { toDidKey } from '@weft/crypto'
import { LEASE_USES, MAX_LEASE_BODY, decodeLeaseBody, encodeLeaseBody } from '../../src/lease/lease-body.ts'
import { fixture } from './lease-fixture.ts'

const body = fc
  .record({
    network: fc.constant(fixture.network.id),
    key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    uses: fc.uniqueArray(fc.constantFrom(...LEASE_USES), { minLength: 1 }),
    issuedEpoch: fc.integer({ min: 0, max: 2 ** 40 }),
    expiresAt: fc.nat({ max: 8.64e15 }),
  })
  .map((fields) => ({ ...fields }))

test('the body of a lease reads back as it was written, within its limit, and no other bytes read as it', () => {
  fc.assert(
    fc.property(body, fc.nat(), fc.integer({ min: 1, max: 255 }), (fields, at, change) => {
      const bytes = encodeLeaseBody(fields)
      assert.ok(bytes.length <= MAX_LEASE_BODY)
      assert.deepEqual(decodeLeaseBody(bytes), { ...fields, id: toDidKey(fields.key) })
      const changed = Uint8Array.from(bytes)
      changed[at % bytes.length]! ^= change
      for (const hostile of [changed, bytes.subarray(0, at % bytes.length), new Uint8Array([...bytes, 0])]) {
        try {
          assert.deepEqual(encodeLeaseBody(decodeLeaseBody(hostile)), hostile)
          assert.notDeepEqual(hostile, bytes)
        } catch (error) {
          assert.ok(isWeftError(error, 'E_LEASE_MALFORMED'), String(error))
        }
      }
    }),
  )
})

test('whatever is put in place of a field, it is refused or has one encoding', () => {
  const junk = fc.oneof(
    fc.constant(null),
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(fc.oneof(fc.string(), fc.constantFrom(...LEASE_USES)), { maxLength: 4 }),
  )
  fc.assert(
    fc.property(body, fc.nat(5), junk, (fields, at, value) => {
      const bytes = encode(decode<unknown[]>(encodeLeaseBody(fields)).with(at, value))
      try {
        assert.deepEqual(encodeLeaseBody(decodeLeaseBody(bytes)), bytes)
      } catch (error) {
        assert.ok(isWeftError(error, 'E_LEASE_MALFORMED'), String(error))
      }
    }),
  )
})

test('uses that are none, not known or named twice are refused', () => {
  const fields = fc.sample(body, { numRuns: 1, seed: 1 })[0] as Parameters<typeof encodeLeaseBody>[0]
  for (const uses of [[], ['store'], ['forward', 'forward'], ['forward', 'compute', 'forward']]) {
    assert.throws(() => decodeLeaseBody(encodeLeaseBody({ ...fields, uses: uses as never })), {
      code: 'E_LEASE_MALFORMED',
    })
  }
})
