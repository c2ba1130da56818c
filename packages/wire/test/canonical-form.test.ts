import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type DescMessage, type MessageShape, fromBinary } from '@bufbuild/protobuf'
import { WeftError, concatBytes, equalBytes, utf8 } from '@weft/core'
import fc from 'fast-check'
import * as wire from '../src/index.ts'
import { checkCanonicalForm } from '../src/canonical-form.ts'

const { FaultSchema, HeldShardSchema, MutableRecordSchema, RpcFrameSchema, decodeMessage, encodeMessage } = wire

const schemas = Object.entries(wire).flatMap(([name, value]): DescMessage[] =>
  name.endsWith('Schema') ? [value as DescMessage] : [],
)

/** Bytes that are near a message of the schema: tags of its fields with any type, values of any kind, nested. */
function nearMessage(schema: DescMessage, depth = 3): fc.Arbitrary<Uint8Array> {
  const inner = schema.fields.flatMap(({ message }) => (message === undefined ? [] : [message]))
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    ...(depth === 0 ? [] : inner.map((message) => nearMessage(message, depth - 1))),
  )
  const varint = fc.oneof(
    fc.constantFrom(0, 1, 2, 127, 128, 300, 2 ** 32 - 1, 2 ** 32).map((value) => {
      const out = new Uint8Array(wire.varintLength(value))
      wire.writeVarint(value, out, 0)
      return out
    }),
    fc
      .constantFrom([0x80, 0], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], [0x81, 0x80, 0])
      .map((bytes) => Uint8Array.from(bytes)),
  )
  const value = fc.oneof(
    varint.map((bytes) => ({ type: 0, bytes })),
    body.map((bytes) => ({ type: 2, bytes: wire.encodeFrame(bytes) })),
  )
  const numbers = [...schema.fields.map(({ number }) => number), 15]
  const field = fc
    .tuple(fc.constantFrom(...numbers), value)
    .map(([number, { type, bytes }]) => concatBytes([Uint8Array.of(number * 8 + type), bytes]))
  const sorted = fc.tuple(fc.array(field, { maxLength: 5 }), fc.boolean())
  return sorted.map(([fields, sort]) => concatBytes(sort ? fields.toSorted((a, b) => a[0]! - b[0]!) : fields))
}

/** What a strict reader has to say, from the encoder: the bytes are those that it would write. */
function isWhatIsWritten(schema: DescMessage, bytes: Uint8Array): boolean {
  let message: MessageShape<DescMessage>
  try {
    message = fromBinary(schema, bytes, { readUnknownFields: false })
  } catch {
    return false
  }
  return equalBytes(encodeMessage(schema, message), bytes)
}

function isAccepted(schema: DescMessage, bytes: Uint8Array): boolean {
  try {
    decodeMessage(schema, bytes, 1_000_000)
    return true
  } catch (error) {
    assert.ok(error instanceof WeftError, String(error))
    return false
  }
}

describe('the canonical form', () => {
  for (const schema of schemas) {
    it(`of ${schema.name} is what the encoder writes, and nothing else`, () => {
      fc.assert(
        fc.property(nearMessage(schema), (bytes) => {
          assert.equal(isAccepted(schema, bytes), isWhatIsWritten(schema, bytes))
        }),
        { numRuns: 400 },
      )
    })
  }

  const refused: [string, DescMessage, number[], RegExp][] = [
    ['a known field of another type', RpcFrameSchema, [0x0a, 1, 7], /'id' has another type/],
    ['a request as a number', RpcFrameSchema, [0x10, 1], /'request' has another type/],
    ['fields out of order', HeldShardSchema, [0x10, 1, 0x08, 1], /'segment' is not in order/],
    ['a field twice', HeldShardSchema, [0x08, 1, 0x08, 2], /'segment' is there twice/],
    ['two of a oneof', RpcFrameSchema, [0x1a, 0, 0x2a, 0], /'cancel' excludes/],
    ['a zero', HeldShardSchema, [0x08, 0], /'segment' is there but empty/],
    ['empty bytes', MutableRecordSchema, [0x0a, 0], /'owner' is there but empty/],
    ['a long zero', HeldShardSchema, [0x08, 0x81, 0], /trailing zero/],
    ['a long tag', HeldShardSchema, [0x88, 0, 1], /trailing zero/],
    ['a uint32 of 33 bits', HeldShardSchema, [0x08, 0x80, 0x80, 0x80, 0x80, 0x10], /too large/],
    ['a uint64 of 65 bits', HeldShardSchema, [0x18, ...Array.from({ length: 9 }, () => 0xff), 3], /too large/],
    ['a bool of 2', HeldShardSchema, [0x20, 2], /too large/],
    ['a length behind the end', MutableRecordSchema, [0x0a, 3, 1, 2], /too large|cut off/],
    ['a message that ends behind its parent', RpcFrameSchema, [0x12, 3, 0x0a, 2, 65, 65], /cut off/],
    ['a tag alone', HeldShardSchema, [0x08], /cut off/],
  ]
  for (const [name, schema, bytes, cause] of refused) {
    it(`does not hold ${name}`, () => {
      assert.throws(() => checkCanonicalForm(schema, Uint8Array.from(bytes)), { code: 'E_MESSAGE_MALFORMED', cause })
    })
  }

  it('does not hold more list items than a decoder should make objects for', () => {
    const items = (count: number): Uint8Array => new Uint8Array(2 * count).map((_, at) => (at % 2 === 0 ? 0x12 : 0))
    checkCanonicalForm(wire.MapProposeRequestSchema, items(128 * 1024))
    assert.throws(() => checkCanonicalForm(wire.MapProposeRequestSchema, items(128 * 1024 + 1)), {
      code: 'E_MESSAGE_MALFORMED',
      cause: /more than 131072 list items/,
    })
    checkCanonicalForm(wire.MapProposeRequestSchema, items(3), 3)
    assert.throws(() => checkCanonicalForm(wire.MapProposeRequestSchema, items(4), 3), {
      cause: /more than 3 list items/,
    })
  })

  it('counts the list items of messages in messages', () => {
    const certificate = Uint8Array.of(0x1a, 200, 1, ...Array.from({ length: 100 }, () => [0x12, 0]).flat())
    const bytes = concatBytes(Array.from({ length: 1_400 }, () => certificate))
    assert.throws(() => checkCanonicalForm(wire.MapProposeRequestSchema, bytes), { cause: /list items/ })
  })

  it('holds the largest numbers, and an empty value of a oneof', () => {
    const most = Array.from({ length: 9 }, () => 0xff)
    const shard = decodeMessage(HeldShardSchema, Uint8Array.of(0x08, ...most.slice(0, 4), 0x0f, 0x18, ...most, 1), 100)
    assert.equal(shard.segment, 2 ** 32 - 1)
    assert.equal(shard.length, 2n ** 64n - 1n)
    assert.equal(decodeMessage(RpcFrameSchema, Uint8Array.of(0x1a, 0), 100).body.case, 'response')
  })

  it('keeps a text byte for byte, and refuses what is not UTF-8', () => {
    const marked = concatBytes([Uint8Array.of(0x0a, 6), utf8('\uFEFFabc')])
    assert.deepEqual(encodeMessage(FaultSchema, decodeMessage(FaultSchema, marked, 100)), marked)
    assert.throws(() => decodeMessage(FaultSchema, Uint8Array.of(0x0a, 2, 0xc0, 0x80), 100), {
      code: 'E_MESSAGE_MALFORMED',
    })
  })
})
