import { equalBytes } from '@weft/core'
import { ReedSolomon } from '@weft/erasure'
import type {
  CodeParameters,
  CodingJob,
  CodingResult,
  DecodeJob,
  EncodeJob,
  ResealJob,
  RestoreJob,
  SealedShard,
  VerifyJob,
} from './coding-job.ts'
import { decodeSegment } from './decode-segment.ts'
import { encodeSegment } from './encode-segment.ts'
import { FrameCipher } from './frame-cipher.ts'
import { FRAMES_PER_SEGMENT } from './object-layout.ts'
import { deriveObjectKeys, deriveShardKey } from './object-keys.ts'
import { sealShard } from './seal-shard.ts'
import { shardRoot } from './shard-root.ts'
import { verifyShard } from './verify-shard.ts'

const codes = new Map<string, ReedSolomon>()

/** Does one job on the calling thread. @param onShard hears of each shard that an encode or a reseal job sealed, at once. */
export function runCodingJob(job: CodingJob, onShard: (shard: SealedShard) => void): CodingResult {
  switch (job.kind) {
    case 'encode':
      return encode(job, onShard)
    case 'verify':
      return verify(job)
    case 'decode':
      return decode(job)
    case 'reseal':
      return reseal(job, onShard)
    case 'restore':
      return restore(job)
  }
}

function encode(job: EncodeJob, onShard: (shard: SealedShard) => void): CodingResult {
  const keys = deriveObjectKeys(job.dataKey, job.object)
  encodeSegment({
    plaintext: job.plaintext,
    segment: job.segment,
    firstFrame: job.segment * FRAMES_PER_SEGMENT,
    last: job.last,
    cipher: new FrameCipher(keys),
    code: codeOf(job),
    sealKey: keys.sealKey,
    object: job.object,
    nodes: job.nodes,
    shards: job.shards,
    onShard: (index, root) => onShard({ index, root }),
  })
  return true
}

function verify({ sealKey, object, segment, index, node, root, shard }: VerifyJob): CodingResult {
  return verifyShard(shard, { object, segment, index, node }, sealKey, root)
}

function decode(job: DecodeJob): CodingResult {
  decodeSegment({
    shards: job.shards,
    plaintext: job.plaintext,
    code: codeOf(job),
    cipher: new FrameCipher(deriveObjectKeys(job.dataKey, job.object)),
    length: job.length,
    firstFrame: job.segment * FRAMES_PER_SEGMENT,
    last: job.last,
    frames: job.frames,
  })
  return true
}

function restore(job: RestoreJob): CodingResult {
  const { sealKey, object, segment, index, node, root, shards, into } = job
  codeOf(job).reconstructInto(shards, [index], [into])
  sealShard(into, deriveShardKey(sealKey, { object, segment, index, node }))
  return equalBytes(shardRoot(into), root)
}

function reseal(job: ResealJob, onShard: (shard: SealedShard) => void): CodingResult {
  const { sealKey, object, segment, index, from, to, shard, into } = job
  into.set(shard)
  for (const node of [from, to]) sealShard(into, deriveShardKey(sealKey, { object, segment, index, node }))
  onShard({ index, root: shardRoot(into) })
  return true
}

/** A code's tables take longer to make than a small segment to code; there are five codes. */
function codeOf({ k, n }: CodeParameters): ReedSolomon {
  const name = `${k}/${n}`
  const code = codes.get(name) ?? new ReedSolomon(k, n)
  codes.set(name, code)
  return code
}
