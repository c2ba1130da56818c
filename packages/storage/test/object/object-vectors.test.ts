import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromHex, toHex } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { ReedSolomon } from '@weft/erasure'
import { encodeSegment } from '../../src/object/encode-segment.ts'
import { FrameCipher } from '../../src/object/frame-cipher.ts'
import { deriveObjectKeys, deriveShardKey } from '../../src/object/object-keys.ts'
import { formatObjectRef } from '../../src/object/object-ref.ts'

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
const { frames, shardKey, segment } = all as {
  frames: { counter: number; last: boolean; plaintext: string; frame: string }[]
  shardKey: { segment: number; index: number; node: string; key: string }
  segment: Segment
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
