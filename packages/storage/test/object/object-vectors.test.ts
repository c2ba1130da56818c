import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromHex, systemClock, toHex } from '@weft/core'
import { SigningKey, toDidKey } from '@weft/crypto'
import { ReedSolomon } from '@weft/erasure'
import { encodeSegment } from '../../src/object/encode-segment.ts'
import { FrameCipher } from '../../src/object/frame-cipher.ts'
import { deriveObjectKeys, deriveShardKey } from '../../src/object/object-keys.ts'
import { ObjectRecords } from '../../src/object/object-records.ts'
import { formatObjectRef } from '../../src/object/object-ref.ts'
import { storageClass } from '../../src/object/storage-class.ts'
import { FakeRecords } from '../support/memory-network.ts'

interface Vectors {
  readonly [name: string]: string
}
interface Segment {
  readonly k: number
  readonly n: number
  readonly segment: number
  readonly last: boolean
  readonly plaintext: string
  readonly nodes: string[]
  readonly roots: string[]
  readonly sealedShards: string[]
}

const all = JSON.parse(readFileSync(new URL('../vectors/object.json', import.meta.url), 'utf8')) as unknown
const texts = all as Vectors
const { frames, shardKey, segment, records } = all as {
  frames: { counter: number; last: boolean; plaintext: string; frame: string }[]
  shardKey: { segment: number; index: number; node: string; key: string }
  segment: Segment
  /** Of the segment above as a whole object, and of the empty object, which is the first frame above. */
  records: {
    sealedLength: number
    head: string
    segment: string
    inlineHead: string
    removedAt: number
    removedHead: string
  }
}
const object = fromHex(texts['object']!)
const dataKey = fromHex(texts['dataKey']!)
const keys = deriveObjectKeys(dataKey, object)

test('vectors: object key, reference, derived keys', () => {
  assert.equal(toHex(new SigningKey(fromHex(texts['seed']!)).publicKey), texts['object'])
  assert.equal(formatObjectRef({ networkId: texts['networkId']!, object, dataKey }), texts['ref'])
  assert.deepEqual(
    [keys.frameKey, keys.noncePrefix, keys.sealKey].map((bytes) => toHex(bytes)),
    [texts['frameKey'], texts['noncePrefix'], texts['sealKey']],
  )
  const { node, key, ...place } = shardKey
  assert.equal(toHex(deriveShardKey(keys.sealKey, { ...place, object, node: fromHex(node) })), key)
})

test('vectors: frames', () => {
  for (const { counter, last, plaintext, frame } of frames) {
    const { ciphertext, tag } = new FrameCipher(keys).seal(counter, last, fromHex(plaintext))
    assert.equal(toHex(ciphertext) + toHex(tag), frame)
  }
})

test('vectors: a whole segment', () => {
  const roots: string[] = []
  const shards = segment.sealedShards.map((shard) => new Uint8Array(shard.length / 2))
  encodeSegment({
    plaintext: fromHex(segment.plaintext),
    segment: segment.segment,
    firstFrame: 0,
    last: segment.last,
    cipher: new FrameCipher(keys),
    code: new ReedSolomon(segment.k, segment.n),
    sealKey: keys.sealKey,
    object,
    nodes: segment.nodes.map((node) => fromHex(node)),
    shards,
    onShard: (index, root) => void (roots[index] = toHex(root)),
  })
  assert.deepEqual(roots, segment.roots)
  assert.deepEqual(
    shards.map((shard) => toHex(shard)),
    segment.sealedShards,
  )
})

test('vectors: ObjectHead and ObjectSegment', async () => {
  const store = new FakeRecords()
  const written = new ObjectRecords(store, systemClock)
  const owner = new SigningKey(fromHex(texts['seed']!))
  const tiny = storageClass('tiny')
  const sealed = records.sealedLength
  const expiresAt = systemClock.now() + 60_000
  const valueOf = (salt: string): string => toHex(store.values.get(`${texts['object']}/${salt}`)!.value)

  await written.writeHead(owner, { class: tiny, sealed }, expiresAt)
  const shards = segment.nodes.map((node, index) => ({
    index,
    node: toDidKey(fromHex(node)),
    nodeKey: fromHex(node),
    root: fromHex(segment.roots[index]!),
  }))
  const shardLength = segment.sealedShards[0]!.length / 2
  await written.writeSegment(owner, { index: 0, length: sealed, shardLength, shards }, expiresAt)
  assert.equal(valueOf('head'), records.head)
  assert.equal(valueOf('segment:0'), records.segment)
  const head = await written.readHead(object)
  assert.deepEqual((await written.readSegment(object, head, 0)).shards, shards)

  store.values.clear()
  const inline = fromHex(frames[0]!.frame)
  await written.writeHead(owner, { class: tiny, sealed: inline.length, inline }, expiresAt)
  assert.equal(valueOf('head'), records.inlineHead)
  assert.deepEqual((await written.readHead(object)).inline, inline)

  await written.writeRemoved(owner, records.removedAt, expiresAt)
  assert.equal(valueOf('head'), records.removedHead)
  await assert.rejects(written.readHead(object), { code: 'E_OBJECT_REMOVED' })
})
