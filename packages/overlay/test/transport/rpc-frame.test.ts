import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { toHex, utf8 } from '@weft/core'
import {
  FrameParser,
  MAX_RPC_FRAME,
  type MessageInitShape,
  RpcFrameSchema,
  create,
  decodeMessage,
  encodeFrame,
  encodeMessage,
} from '@weft/wire'
import fc from 'fast-check'
import { readPlainFrame } from '../../src/transport/read-plain-frame.ts'
import {
  cancelFrame,
  faultFrame,
  idOfNewerRequest,
  readRpcFrame,
  requestFrame,
  responseFrame,
} from '../../src/transport/rpc-frame.ts'

function unframe(bytes: Uint8Array): Uint8Array {
  const parser = new FrameParser(MAX_RPC_FRAME)
  parser.push(bytes)
  const frame = parser.takeFrame()
  assert.ok(frame !== undefined)
  assert.equal(parser.buffered, 0)
  return frame
}

interface Vector {
  readonly name: string
  readonly id: number
  readonly kind: 'request' | 'response' | 'fault' | 'cancel'
  readonly method?: string
  readonly bodyHex?: string
  readonly fault?: { code: string; cause: string; fix: string; retryable: boolean }
  readonly frameHex: string
}

const vectors = JSON.parse(readFileSync(new URL('vectors/rpc-frames.json', import.meta.url), 'utf8')) as {
  frames: Vector[]
  refused: { name: string; bodyHex: string; code: string }[]
}

function build(vector: Vector): Uint8Array {
  const body = Uint8Array.fromHex(vector.bodyHex ?? '')
  switch (vector.kind) {
    case 'request':
      return requestFrame(vector.id, vector.method!, body)
    case 'response':
      return responseFrame(vector.id, body)
    case 'fault':
      return faultFrame(vector.id, vector.fault!)
    case 'cancel':
      return cancelFrame(vector.id)
  }
}

for (const vector of vectors.frames) {
  test(`vector ${vector.name} is written and read byte for byte`, () => {
    assert.equal(toHex(build(vector)), vector.frameHex)
    const frame = readRpcFrame(unframe(Uint8Array.fromHex(vector.frameHex)))
    assert.equal(frame.id, vector.id)
    assert.equal(frame.body.case, vector.kind)
  })
}

for (const { name, bodyHex, code } of vectors.refused) {
  test(`vector ${name} is refused`, () => {
    assert.throws(() => readRpcFrame(Uint8Array.fromHex(bodyHex)), { code })
  })
}

test('every request survives the way there', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 0xffff_ffff }),
      fc.string({ maxLength: 80 }),
      fc.uint8Array({ maxLength: 3_000 }),
      (id, method, body) => {
        const frame = readRpcFrame(unframe(requestFrame(id, method, body)))
        assert.ok(frame.body.case === 'request')
        assert.equal(frame.id, id)
        assert.deepEqual(frame.body.value.body, body)
        // Lone surrogates become U+FFFD in UTF-8; all else is kept.
        assert.equal(frame.body.value.method, method.toWellFormed())
      },
    ),
  )
})

test('a request with a field of a later version keeps its id', () => {
  const bytes = encodeMessage(
    RpcFrameSchema,
    create(RpcFrameSchema, { id: 7, body: { case: 'request', value: { method: 'map.head', body: utf8('') } } }),
  )
  // Field 15, varint 1.
  const newer = new Uint8Array([...bytes, 0x78, 0x01])
  assert.throws(
    () => readRpcFrame(newer),
    (error) => {
      assert.equal(idOfNewerRequest(newer, error), 7)
      return true
    },
  )
  assert.equal(idOfNewerRequest(newer, new Error('other')), undefined)
})

const someId = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffff_ffff }))
const someFrame = fc.oneof(
  fc
    .tuple(someId, fc.string({ maxLength: 140, unit: 'binary' }), fc.uint8Array({ maxLength: 300 }))
    .map(([id, method, body]) => ({ id, body: { case: 'request' as const, value: { method, body } } })),
  fc.tuple(someId, fc.uint8Array({ maxLength: 300 })).map(([id, value]) => ({
    id,
    body: { case: 'response' as const, value },
  })),
)

test('requests and answers are the bytes that the generic encoder makes', () => {
  fc.assert(
    fc.property(someFrame, ({ id, body }) => {
      const frame =
        body.case === 'request' ? requestFrame(id, body.value.method, body.value.body) : responseFrame(id, body.value)
      assert.deepEqual(frame, encodeFrame(encodeMessage(RpcFrameSchema, create(RpcFrameSchema, { id, body }))))
    }),
  )
})

test('the plain reader reads what the strict decoder reads, and nothing else, whatever the bytes', () => {
  const encoded = someFrame.map((fields) => encodeMessage(RpcFrameSchema, create(RpcFrameSchema, fields)))
  const damaged = fc
    .tuple(encoded, fc.array(fc.tuple(fc.nat(40), fc.nat(255)), { maxLength: 3 }), fc.nat(400))
    .map(([bytes, changes, length]) => {
      const copy = bytes.slice()
      for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte
      return copy.subarray(0, Math.max(length, 1))
    })
  const near = fc
    .array(fc.constantFrom(0, 1, 2, 3, 0x08, 0x0a, 0x12, 0x1a, 0x61, 0x80, 0xff), { maxLength: 14 })
    .map((bytes) => Uint8Array.from(bytes))
  let plain = 0
  fc.assert(
    fc.property(fc.oneof(encoded, damaged, near, fc.uint8Array({ maxLength: 40 })), (bytes) => {
      const frame = readPlainFrame(bytes)
      if (frame === undefined) return
      plain++
      assert.deepEqual(
        encodeMessage(RpcFrameSchema, create(RpcFrameSchema, frame as MessageInitShape<typeof RpcFrameSchema>)),
        bytes,
      )
      const strict = decodeMessage(RpcFrameSchema, bytes, MAX_RPC_FRAME)
      assert.deepEqual([frame.id, frame.body.case], [strict.id, strict.body.case])
      if (frame.body.case === 'request' && strict.body.case === 'request') {
        assert.deepEqual(
          [frame.body.value.method, frame.body.value.body],
          [strict.body.value.method, strict.body.value.body],
        )
      } else assert.deepEqual(frame.body, strict.body)
    }),
    { numRuns: 3_000 },
  )
  assert.ok(plain > 300, `${plain} of the frames were plain`)
})
