import { KiB, MAX_SHARD_LENGTH, MiB } from '@weft/wire'

// Protocol constants of docs/specs/objects.md; a change of any of them is a new version of the object format.

/** Bytes of a whole sealed frame, tag included: segments hold whole frames, so each is opened by itself. */
export const FRAME_SIZE = 64 * KiB
/** The AES-GCM tag (NIST SP 800-38D) at the end of each frame, bytes. */
export const TAG_SIZE = 16
/** Plaintext in a whole frame, bytes. */
export const FRAME_PLAINTEXT = FRAME_SIZE - TAG_SIZE
/** Sealed bytes in every segment but the last. */
export const SEGMENT_SIZE = 16 * MiB
export const FRAMES_PER_SEGMENT = SEGMENT_SIZE / FRAME_SIZE
/** Plaintext in every segment but the last, bytes. */
export const SEGMENT_PLAINTEXT = FRAMES_PER_SEGMENT * FRAME_PLAINTEXT
/** Plaintext up to this stands in the head record itself, bytes. */
export const MAX_INLINE = 4 * KiB
/** Segments of an object: 16 TiB, and frame counters that fit 32 bits. */
export const MAX_SEGMENTS = 2 ** 20

/** Sealed bytes of `plaintext` bytes. An empty object is one frame of its tag alone. */
export function sealedLength(plaintext: number): number {
  return plaintext + TAG_SIZE * Math.max(1, Math.ceil(plaintext / FRAME_PLAINTEXT))
}

/** Inverse of {@link sealedLength}; undefined when no plaintext has this sealed length. */
export function plaintextLength(sealed: number): number | undefined {
  const plaintext = sealed - TAG_SIZE * Math.ceil(sealed / FRAME_SIZE)
  return Number.isSafeInteger(plaintext) && plaintext >= 0 && sealedLength(plaintext) === sealed ? plaintext : undefined
}

export function segmentCount(sealed: number): number {
  return Math.ceil(sealed / SEGMENT_SIZE)
}

/** Sealed bytes of one segment of an object of `sealed` bytes. */
export function segmentLength(sealed: number, segment: number): number {
  return Math.min(SEGMENT_SIZE, sealed - segment * SEGMENT_SIZE)
}

/** Bytes of each shard of a segment cut in k; the last data shard is filled up with zeros. */
export function shardLengthOf(segmentBytes: number, k: number): number {
  return Math.min(MAX_SHARD_LENGTH, Math.ceil(segmentBytes / k))
}
