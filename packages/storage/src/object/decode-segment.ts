import { freeNow } from '@weft/core'
import type { ReedSolomon } from '@weft/erasure'
import type { FrameCipher } from './frame-cipher.ts'
import { FRAME_SIZE } from './object-layout.ts'

export interface DecodeSegment {
  /** n places, by index, with at least k unsealed and verified shards. */
  readonly shards: readonly (Uint8Array | undefined)[]
  readonly code: ReedSolomon
  readonly cipher: FrameCipher
  /** Where the plaintext goes: as many bytes as the frames hold. */
  readonly plaintext: Uint8Array
  /** Sealed bytes of the segment. */
  readonly length: number
  /** Counter of the segment's first frame. */
  readonly firstFrame: number
  /** True for the last segment of the object. */
  readonly last: boolean
}

/**
 * Writes the plaintext of a segment from any k of its shards, each frame authenticated before it is written.
 * @throws WeftError E_OBJECT_KEY when a frame does not open, E_ERASURE_TOO_FEW
 */
export function decodeSegment(job: DecodeSegment): void {
  const { code, cipher, length, firstFrame, last } = job
  const missing = missingOf(job)
  const restored = missing.length === 0 ? [] : code.reconstruct(job.shards, missing)
  const data = Array.from(
    { length: code.k },
    (_, index) => job.shards[index] ?? (restored[missing.indexOf(index)] as Uint8Array),
  )
  let frame = firstFrame
  let written = 0
  const scratch = new Uint8Array(FRAME_SIZE)
  for (let at = 0; at < length; at += FRAME_SIZE) {
    const end = Math.min(at + FRAME_SIZE, length)
    const sealed = readAcross(data, at, end - at, scratch)
    const opened = cipher.open(frame++, last && end === length, sealed)
    job.plaintext.set(opened, written)
    written += opened.length
    freeNow(opened)
  }
  for (const shard of restored) freeNow(shard)
}

/** Indices of the data shards that have to be computed. */
function missingOf({ code, shards }: DecodeSegment): number[] {
  return Array.from({ length: code.k }, (_, index) => index).filter((index) => shards[index] === undefined)
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
