import { WeftError } from '@weft/core'
import { KiB } from '@weft/wire'
import type { ByteRange, GetOptions, ObjectReader } from '../storage.ts'
import { FrameCipher } from './frame-cipher.ts'
import { HolderLinks } from './holder-links.ts'
import type { ObjectContext } from './object-context.ts'
import { deriveObjectKeys } from './object-keys.ts'
import type { ObjectHead } from './object-records.ts'
import type { ObjectRef } from './object-ref.ts'
import { SegmentPipeline } from './segment-pipeline.ts'
import { checkedRange } from './segment-range.ts'

/** Bytes of plaintext handed to the reader at a time. */
const PIECE = 256 * KiB

export interface GetRequest extends GetOptions {
  readonly signal: AbortSignal
}

/**
 * Opens an object for reading. Its records are read here; shards only as the body is read. A body can be read once.
 * @throws WeftError E_OBJECT_NOT_FOUND, E_OBJECT_KEY (the reference has no key), E_RECORD_UNAVAILABLE, E_RANGE
 */
export async function getObject(context: ObjectContext, ref: ObjectRef, request: GetRequest): Promise<ObjectReader> {
  const { object, dataKey } = ref
  if (dataKey === undefined) {
    throw new WeftError({
      code: 'E_OBJECT_KEY',
      cause: 'The reference has no key, so the object can be checked but not read.',
      fix: 'Copy the reference whole, with everything behind the #.',
    })
  }
  const head = await context.records.readHead(object, request.signal)
  if (!head.quorum) context.logger.warn('storage: read without a record quorum', { code: 'E_RECORD_NO_QUORUM' })
  const range = request.range === undefined ? { offset: 0, length: head.size } : checkedRange(request.range, head.size)
  const body =
    head.inline === undefined
      ? readSegments(context, object, dataKey, head, range, request)
      : readInline(object, dataKey, head.inline, range, request)
  return { size: head.size, body }
}

async function* readInline(
  object: Uint8Array,
  dataKey: Uint8Array,
  inline: Uint8Array,
  { offset, length }: ByteRange,
  { onProgress }: GetRequest,
): AsyncGenerator<Uint8Array> {
  const whole = new FrameCipher(deriveObjectKeys(dataKey, object)).open(0, true, inline)
  const plaintext = whole.slice(offset, offset + length)
  if (plaintext.length > 0) yield plaintext
  onProgress?.({ bytes: plaintext.length, total: plaintext.length })
}

async function* readSegments(
  context: ObjectContext,
  object: Uint8Array,
  dataKey: Uint8Array,
  head: ObjectHead,
  range: ByteRange,
  request: GetRequest,
): AsyncGenerator<Uint8Array> {
  const stop = new AbortController()
  const signal = AbortSignal.any([request.signal, stop.signal])
  await using links = new HolderLinks({
    streams: context.streams,
    openMs: context.openMs,
    clock: context.clock,
    signal,
  })
  const pipeline = new SegmentPipeline({ context, links, object, dataKey, head, range, signal })
  try {
    let bytes = 0
    while (bytes < range.length) {
      const segment = await pipeline.next()
      const { plaintext, start, end } = segment
      try {
        for (let at = start; at < end; at += PIECE) {
          // A copy: the reader may keep it, and the buffer is for another segment.
          yield plaintext.slice(at, Math.min(end, at + PIECE))
          bytes += Math.min(PIECE, end - at)
          request.onProgress?.({ bytes, total: range.length })
        }
      } finally {
        pipeline.release(segment)
      }
    }
  } finally {
    stop.abort()
    await pipeline.end()
  }
}
