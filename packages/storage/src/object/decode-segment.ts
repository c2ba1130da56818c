import type { ReedSolomon } from '@weft/erasure'
import type { FrameCipher } from './frame-cipher.ts'
import { FRAME_SIZE } from './object-layout.ts'

export interface DecodeSegment {
  /** n places, by index, with at least k unsealed and verified shards. */
  readonly shards: readonly (Uint8Array | undefined)[]
  readonly code: ReedSolomon
  readonly cipher: FrameCipher
  /** Sealed bytes of the segment. */
  readonly length: number
  /** Counter of the segment's first frame. */
  readonly firstFrame: number
  /** True for the last segment of the object. */
  readonly last: boolean
}

/**
 * The plaintext frames of a segment from any k of its shards, each authenticated and in a buffer of its own.
 * @throws WeftError E_OBJECT_KEY when a frame does not open, E_ERASURE_TOO_FEW
 */
export function decodeSegment(job: DecodeSegment): Uint8Array<ArrayBuffer>[] {
  const { code, cipher, length, firstFrame, last } = job
  const data = dataShards(code, job.shards)
  const frames: Uint8Array<ArrayBuffer>[] = []
  const scratch = new Uint8Array(FRAME_SIZE)
  for (let at = 0; at < length; at += FRAME_SIZE) {
    const end = Math.min(at + FRAME_SIZE, length)
    const frame = readAcross(data, at, end - at, scratch)
    frames.push(cipher.open(firstFrame + frames.length, last && end === length, frame))
  }
  return frames
}

function dataShards(code: ReedSolomon, shards: readonly (Uint8Array | undefined)[]): readonly Uint8Array[] {
  const missing = Array.from({ length: code.k }, (_, index) => index).filter((index) => shards[index] === undefined)
  const restored = missing.length === 0 ? [] : code.reconstruct(shards, missing)
  return Array.from({ length: code.k }, (_, index) => shards[index] ?? (restored[missing.indexOf(index)] as Uint8Array))
}

/** Bytes of the data shards put end to end: a view where they lie in one shard, else gathered in `scratch`. */
function readAcross(data: readonly Uint8Array[], offset: number, count: number, scratch: Uint8Array): Uint8Array {
  const length = (data[0] as Uint8Array).length
  const first = Math.floor(offset / length)
  const at = offset - first * length
  if (at + count <= length) return (data[first] as Uint8Array).subarray(at, at + count)
  let read = 0
  while (read < count) {
    const shard = data[Math.floor((offset + read) / length)] as Uint8Array
    const part = shard.subarray((offset + read) % length).subarray(0, count - read)
    scratch.set(part, read)
    read += part.length
  }
  return scratch.subarray(0, count)
}
