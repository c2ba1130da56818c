import { freeNow } from '@weft/core'
import type { ReedSolomon } from '@weft/erasure'
import type { FrameCipher } from './frame-cipher.ts'
import { FRAME_SIZE } from './object-layout.ts'

export interface DecodeSegment {
  /** n places, by index, with at least k unsealed and verified shards. */
  readonly shards: readonly (Uint8Array | undefined)[]
  readonly code: ReedSolomon
  readonly cipher: FrameCipher
  /** Where the plaintext goes: as many bytes as the frames that are wanted hold. */
  readonly plaintext: Uint8Array
  /** Sealed bytes of the segment. */
  readonly length: number
  /** Counter of the segment's first frame. */
  readonly firstFrame: number
  /** True for the last segment of the object. */
  readonly last: boolean
  /** Frames that are wanted, counted from 0 in the segment, `end` not included; by default all. */
  readonly frames?: { readonly first: number; readonly end: number }
}

/** Bytes of a missing shard that are computed at a time, so that a get with dead holders needs no more memory. */
const WINDOW = 8 * FRAME_SIZE

/**
 * Writes the plaintext of a segment from any k of its shards, each frame authenticated before it is written.
 * @throws WeftError E_OBJECT_KEY when a frame does not open, E_ERASURE_TOO_FEW
 */
export function decodeSegment(job: DecodeSegment): void {
  const { cipher, length, firstFrame, last, frames = { first: 0, end: Math.ceil(length / FRAME_SIZE) } } = job
  const data = new DataShards(job)
  let written = 0
  for (let frame = frames.first; frame < frames.end; frame++) {
    const at = frame * FRAME_SIZE
    const end = Math.min(at + FRAME_SIZE, length)
    const opened = cipher.open(firstFrame + frame, last && end === length, data.read(at, end - at))
    job.plaintext.set(opened, written)
    written += opened.length
    freeNow(opened)
  }
}

/** The data shards put end to end, to be read from front to back; the missing ones are computed a window at a time. */
class DataShards {
  readonly #shards: readonly (Uint8Array | undefined)[]
  readonly #code: ReedSolomon
  readonly #length: number
  readonly #scratch = new Uint8Array(FRAME_SIZE)
  readonly #window: Uint8Array
  /** Which shard the window is of, and the bytes of it that it has. */
  #windowShard = -1
  #windowStart = 0
  #windowEnd = 0

  constructor({ shards, code }: Pick<DecodeSegment, 'shards' | 'code'>) {
    this.#shards = shards
    this.#code = code
    this.#length = shards.find((shard) => shard !== undefined)?.length ?? 0
    this.#window = new Uint8Array(Math.min(WINDOW, this.#length))
  }

  /** Bytes at `offset`, a frame at most; good until the next call. */
  read(offset: number, count: number): Uint8Array {
    const index = Math.floor(offset / this.#length)
    const at = offset - index * this.#length
    if (at + count <= this.#length) return this.#part(index, at, count)
    let read = 0
    while (read < count) {
      const shard = Math.floor((offset + read) / this.#length)
      const start = (offset + read) % this.#length
      const part = this.#part(shard, start, Math.min(count - read, this.#length - start))
      this.#scratch.set(part, read)
      read += part.length
    }
    return this.#scratch.subarray(0, count)
  }

  #part(index: number, at: number, count: number): Uint8Array {
    const shard = this.#shards[index]
    if (shard !== undefined) return shard.subarray(at, at + count)
    if (this.#windowShard !== index || at < this.#windowStart || at + count > this.#windowEnd) this.#compute(index, at)
    return this.#window.subarray(at - this.#windowStart, at - this.#windowStart + count)
  }

  #compute(index: number, at: number): void {
    const end = Math.min(at + WINDOW, this.#length)
    const present = this.#shards.map((shard) => shard?.subarray(at, end))
    this.#code.reconstructInto(present, [index], [this.#window.subarray(0, end - at)])
    this.#windowShard = index
    this.#windowStart = at
    this.#windowEnd = end
  }
}
