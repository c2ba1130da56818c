import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { toHex, utf8 } from '@weft/core'
import { FrameParser, MAX_RPC_FRAME, RpcFrameSchema, create, encodeMessage } from '@weft/wire'
import fc from 'fast-check'
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
