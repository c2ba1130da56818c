import { WeftError } from '@weft/core'
import type { ByteRange } from '../storage.ts'
import { FRAME_PLAINTEXT, SEGMENT_PLAINTEXT } from './object-layout.ts'

/** What of one segment is wanted. */
export interface SegmentRange {
  /** Frames, counted from 0 in the segment; `end` is not included. */
  readonly frames: { readonly first: number; readonly end: number }
  /** Plaintext of these frames, bytes. */
  readonly bytes: number
  /** Where in that plaintext the range begins and ends. */
  readonly start: number
  readonly end: number
}

/**
 * The part of an object that a range names: cut off where the object ends.
 * @param size of the object, bytes. @throws WeftError E_RANGE when nothing of it lies within the object
 */
export function checkedRange({ offset, length }: ByteRange, size: number): ByteRange {
  const isRange = Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(length) && length > 0
  if (!isRange || offset >= size) {
    throw new WeftError({
      code: 'E_RANGE',
      cause: `The range of ${length} bytes from ${offset} on has nothing of the object's ${size} bytes.`,
      fix: 'Ask for one byte at least, from an offset that is less than the size of the object.',
      details: { offset, length, size },
    })
  }
  return { offset, length: Math.min(length, size - offset) }
}

/** The segments that a range lies in; `end` is not included. */
export function segmentsOf({ offset, length }: ByteRange): { readonly first: number; readonly end: number } {
  return { first: Math.floor(offset / SEGMENT_PLAINTEXT), end: Math.ceil((offset + length) / SEGMENT_PLAINTEXT) }
}

/** @param plaintext bytes that the segment holds; the range has some of them, or the object is empty. */
export function rangeInSegment({ offset, length }: ByteRange, segment: number, plaintext: number): SegmentRange {
  const base = segment * SEGMENT_PLAINTEXT
  const from = Math.max(0, offset - base)
  const to = Math.min(plaintext, offset + length - base)
  const first = Math.floor(from / FRAME_PLAINTEXT)
  const end = Math.ceil(to / FRAME_PLAINTEXT)
  const opened = first * FRAME_PLAINTEXT
  return {
    frames: { first, end },
    bytes: Math.min(plaintext, end * FRAME_PLAINTEXT) - opened,
    start: from - opened,
    end: to - opened,
  }
}
