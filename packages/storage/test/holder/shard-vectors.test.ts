import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, fromHex, toHex } from '@weft/core'
import { SigningKey, toDidKey } from '@weft/crypto'
import {
  FrameParser,
  MAX_SHARD_MESSAGE,
  type MessageInitShape,
  ShardRequestSchema,
  ShardResponseSchema,
  create,
  decodeMessage,
  encodeFrame,
  encodeMessage,
} from '@weft/wire'
import {
  authorizeCommit,
  authorizePut,
  authorizeRelease,
  authorizeRemove,
  verifyCommit,
  verifyPut,
  verifyRelease,
  verifyRemove,
} from '../../src/holder/shard-authorization.ts'
import { signDeletion, verifyDeletion } from '../../src/holder/deletion-statement.ts'
import { type ParsedRequest, parseShardRequest } from '../../src/holder/shard-requests.ts'
import vectors from '../vectors/shards.json' with { type: 'json' }

const key = new SigningKey(fromHex(vectors.seed))
const object = fromHex(vectors.object)
const { segment, index, expiresAt } = vectors
const name = { object, segment, index }
const bytes = fromHex(vectors.bytes)
const put = { object, peer: toDidKey(fromHex(vectors.peer)), signature: fromHex(vectors.put.signature) }
const commit = { object, expiresAt, signature: fromHex(vectors.commit.signature) }
const release = { object, signature: fromHex(vectors.release.signature) }
const remove = { object, expiresAt, signature: fromHex(vectors.remove.signature) }
const holder = new SigningKey(fromHex(vectors.deletion.seed))
const { shards, bytes: deleted, at, until } = vectors.deletion
const deletion = { shards, bytes: deleted, at, until }

/** The one message in a frame. */
function unframed(hex: string): Uint8Array {
  const parser = new FrameParser(MAX_SHARD_MESSAGE)
  parser.push(fromHex(hex))
  const frame = parser.takeFrame()
  assert.ok(frame !== undefined)
  parser.end()
  return frame
}

test('shards.json: put, commit, release and removal are signed by the key of the object', () => {
  assert.equal(toHex(key.publicKey), vectors.object)
  assert.equal(toHex(key.sign('object', fromHex(vectors.put.statement))), vectors.put.signature)
  assert.equal(toHex(key.sign('object', fromHex(vectors.commit.statement))), vectors.commit.signature)
  assert.equal(toHex(key.sign('shard-release', fromHex(vectors.release.statement))), vectors.release.signature)
  assert.deepEqual(authorizePut(key, put.peer), put)
  assert.deepEqual(authorizeCommit(key, expiresAt), commit)
  assert.deepEqual(authorizeRelease(key), release)
  verifyPut(put)
  verifyCommit(commit)
  assert.equal(toHex(key.sign('object', fromHex(vectors.remove.statement))), vectors.remove.signature)
  assert.deepEqual(authorizeRemove(key, expiresAt), remove)
  verifyRelease(release)
  verifyRemove(remove)
})

test('shards.json: what a holder deleted is signed by its own key', () => {
  const { statement, signature } = vectors.deletion
  assert.equal(toHex(holder.publicKey), vectors.deletion.holder)
  assert.equal(toHex(holder.sign('shard-deletion', fromHex(statement))), signature)
  const signed = { object, holder: holder.id, ...deletion, signature: fromHex(signature) }
  assert.deepEqual(signDeletion(holder, object, deletion), signed)
  verifyDeletion(signed)
})

const REQUESTS: readonly [keyof typeof vectors.requests, ParsedRequest][] = [
  ['put', { kind: 'put', name, length: bytes.length, authorization: put.signature }],
  ['keep', { kind: 'keep', name, length: bytes.length }],
  ['get', { kind: 'get', name }],
  ['stat', { kind: 'stat', object, first: 0, count: 4096 }],
  ['commit', { kind: 'commit', authorization: commit }],
  ['release', { kind: 'release', authorization: release }],
  ['remove', { kind: 'remove', authorization: remove }],
]

for (const [kind, parsed] of REQUESTS) {
  test(`shards.json: the request ${kind}`, () => {
    const hex = vectors.requests[kind]
    const message = unframed(hex)
    assert.deepEqual(parseShardRequest(message), parsed)
    const decoded = decodeMessage(ShardRequestSchema, message, MAX_SHARD_MESSAGE)
    assert.equal(toHex(encodeFrame(encodeMessage(ShardRequestSchema, decoded))), hex)
  })
}

const held = { segment, length: BigInt(bytes.length) }
const RESPONSES: readonly [keyof typeof vectors.responses, MessageInitShape<typeof ShardResponseSchema>['body']][] = [
  ['done', { case: 'done', value: {} }],
  ['data', { case: 'data', value: { length: BigInt(bytes.length) } }],
  [
    'held',
    {
      case: 'held',
      value: {
        shards: [
          { ...held, index: 0 },
          { ...held, index: 1, corrupt: true },
        ],
      },
    },
  ],
  [
    'removed',
    {
      case: 'removed',
      value: {
        shards: BigInt(shards),
        bytes: BigInt(deleted),
        at: BigInt(at),
        until: BigInt(until),
        signature: fromHex(vectors.deletion.signature),
      },
    },
  ],
  ['fault', { case: 'fault', value: { code: 'E_SHARD_NOT_FOUND', cause: 'cause', fix: 'fix' } }],
]

for (const [kind, body] of RESPONSES) {
  test(`shards.json: the response ${kind}`, () => {
    const hex = vectors.responses[kind]
    const message = create(ShardResponseSchema, body === undefined ? {} : { body })
    assert.equal(toHex(encodeFrame(encodeMessage(ShardResponseSchema, message))), hex)
    assert.deepEqual(decodeMessage(ShardResponseSchema, unframed(hex), MAX_SHARD_MESSAGE), message)
  })
}

test('shards.json: a put is its frame and the bytes behind it', () => {
  const parser = new FrameParser(MAX_SHARD_MESSAGE)
  parser.push(concatBytes([fromHex(vectors.requests.put), bytes, fromHex(vectors.requests.commit)]))
  const put = parseShardRequest(parser.takeFrame() ?? new Uint8Array(0))
  assert.ok(put.kind === 'put')
  assert.deepEqual(parser.takeRaw(put.length), bytes)
  assert.equal(parseShardRequest(parser.takeFrame() ?? new Uint8Array(0)).kind, 'commit')
})
