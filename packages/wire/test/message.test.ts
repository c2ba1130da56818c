import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WeftError, concatBytes } from '@weft/core'
import fc from 'fast-check'
import {
  ApplyRequestSchema,
  METHODS,
  MapProposeRequestSchema,
  RecordSchema,
  RpcFrameSchema,
  ShardRequestSchema,
  create,
  decodeMessage,
  encodeMessage,
  protocolId,
} from '../src/index.ts'

const unknownField = Uint8Array.of(0xa0, 0x06, 0x01) // field 100, varint 1

describe('decodeMessage', () => {
  it('round-trips', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), fc.string(), fc.uint8Array(), (id, method, body) => {
        const frame = create(RpcFrameSchema, { id, body: { case: 'request', value: { method, body } } })
        const decoded = decodeMessage(RpcFrameSchema, encodeMessage(RpcFrameSchema, frame), 1_000_000)
        assert.equal(decoded.id, id)
        assert.ok(decoded.body.case === 'request')
        assert.equal(decoded.body.value.method, method)
        assert.deepEqual(decoded.body.value.body, body)
      }),
    )
  })

  it('refuses what is too long before it parses', () => {
    assert.throws(() => decodeMessage(RpcFrameSchema, new Uint8Array(11), 10), { code: 'E_MESSAGE_TOO_LARGE' })
  })

  it('refuses unknown fields at the top, in a message, in a repeated one and in a oneof', () => {
    const top = concatBytes([encodeMessage(RpcFrameSchema, create(RpcFrameSchema, { id: 1 })), unknownField])
    assert.throws(() => decodeMessage(RpcFrameSchema, top, 1_000), {
      code: 'E_MESSAGE_UNKNOWN_FIELD',
      cause: /RpcFrame .*100/,
    })
    // ApplyRequest.application (field 1) holding only an unknown field.
    assert.throws(() => decodeMessage(ApplyRequestSchema, Uint8Array.of(0x0a, 3, ...unknownField), 1_000), {
      code: 'E_MESSAGE_UNKNOWN_FIELD',
    })
    // MapProposeRequest.certificates (repeated, field 3).
    assert.throws(
      () => decodeMessage(MapProposeRequestSchema, Uint8Array.of(0x1a, 0, 0x1a, 3, ...unknownField), 1_000),
      { code: 'E_MESSAGE_UNKNOWN_FIELD' },
    )
    // ShardRequest.put (oneof, field 1).
    assert.throws(() => decodeMessage(ShardRequestSchema, Uint8Array.of(0x0a, 3, ...unknownField), 1_000), {
      code: 'E_MESSAGE_UNKNOWN_FIELD',
    })
  })

  it('turns any bytes into a message or a WeftError', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom(RpcFrameSchema, RecordSchema, ShardRequestSchema, MapProposeRequestSchema),
        (bytes, schema) => {
          try {
            assert.deepEqual(encodeMessage(schema, decodeMessage(schema, bytes, 200)), bytes)
          } catch (error) {
            assert.ok(error instanceof WeftError)
          }
        },
      ),
      { numRuns: 5_000 },
    )
  })
})

describe('registry', () => {
  it('bounds every method and names every protocol after its network', () => {
    for (const [name, spec] of Object.entries(METHODS)) {
      assert.match(name, /^[a-z]+\.[a-z]+$/)
      assert.ok(spec.maxRequest > 0 && spec.maxResponse > 0)
    }
    assert.equal(protocolId('wabc', 'rpc'), '/weft/wabc/rpc/1')
  })
})
