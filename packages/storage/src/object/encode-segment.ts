import { freeNow } from '@weft/core'
import type { ReedSolomon } from '@weft/erasure'
import type { FrameCipher } from './frame-cipher.ts'
import { FRAME_PLAINTEXT } from './object-layout.ts'
import { deriveShardKey } from './object-keys.ts'
import { sealShard } from './seal-shard.ts'
import { shardRoot } from './shard-root.ts'

export interface EncodeSegment {
  /** The segment's plaintext, at most SEGMENT_PLAINTEXT bytes; empty only for an empty object. */
  readonly plaintext: Uint8Array
  readonly segment: number
  /** Counter of the segment's first frame. */
  readonly firstFrame: number
  /** True for the last segment of the object. */
  readonly last: boolean
  readonly cipher: FrameCipher
  readonly code: ReedSolomon
  readonly sealKey: Uint8Array
  /** 32 bytes: the object's public key. */
  readonly object: Uint8Array
  /** Public key of the holder of each of the n shards. */
  readonly nodes: readonly Uint8Array[]
  /** n buffers of the segment's shard length; whatever they hold is overwritten. */
  readonly shards: readonly Uint8Array[]
  /** Called for each shard as soon as it is sealed, in order, with the root of the sealed bytes. */
  readonly onShard: (index: number, root: Uint8Array) => void
}

/**
 * One segment from plaintext to sealed shards: frames are encrypted straight into the data shards, parity is computed
 * beside them, then each shard is sealed in place and hashed. Nothing but the n buffers grows with the segment.
 */
export function encodeSegment(job: EncodeSegment): void {
  const { code, shards } = job
  encryptFrames(job)
  code.encodeInto(shards.slice(0, code.k), shards.slice(code.k))
  for (const [index, shard] of shards.entries()) {
    const node = job.nodes[index] as Uint8Array
    sealShard(shard, deriveShardKey(job.sealKey, { object: job.object, segment: job.segment, index, node }))
    job.onShard(index, shardRoot(shard))
  }
}

function encryptFrames({ plaintext, firstFrame, last, cipher, code, shards }: EncodeSegment): void {
  const data = shards.slice(0, code.k)
  let at = 0
  let frame = firstFrame
  let from = 0
  do {
    const end = Math.min(from + FRAME_PLAINTEXT, plaintext.length)
    const sealed = cipher.seal(frame++, last && end === plaintext.length, plaintext.subarray(from, end))
    at = writeAcross(data, at, sealed.ciphertext)
    freeNow(sealed.ciphertext)
    at = writeAcross(data, at, sealed.tag)
    from = end
  } while (from < plaintext.length)
  zeroFrom(data, at)
}

/** Writes bytes at an offset of the data shards put end to end; returns the offset behind them. */
function writeAcross(data: readonly Uint8Array[], offset: number, bytes: Uint8Array): number {
  const length = (data[0] as Uint8Array).length
  let written = 0
  while (written < bytes.length) {
    const shard = data[Math.floor((offset + written) / length)] as Uint8Array
    const at = (offset + written) % length
    const part = bytes.subarray(written, written + length - at)
    shard.set(part, at)
    written += part.length
  }
  return offset + written
}

function zeroFrom(data: readonly Uint8Array[], offset: number): void {
  const length = (data[0] as Uint8Array).length
  for (const [index, shard] of data.entries()) {
    const start = offset - index * length
    if (start < length) shard.fill(0, Math.max(0, start))
  }
}
