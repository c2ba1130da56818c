import { WeftError } from '@weft/core'
import { KiB } from '@weft/wire'
import type { GetOptions, ObjectReader } from '../storage.ts'
import type { SharedBytes } from './coding-job.ts'
import { FetchPace, fetchShards } from './fetch-shards.ts'
import { FrameCipher } from './frame-cipher.ts'
import { HolderLinks } from './holder-links.ts'
import type { MemoryLease } from './memory-budget.ts'
import type { ObjectContext } from './object-context.ts'
import { plaintextLength, segmentLength, shardLengthOf } from './object-layout.ts'
import { deriveObjectKeys } from './object-keys.ts'
import type { ObjectHead } from './object-records.ts'
import type { ObjectRef } from './object-ref.ts'

/** Bytes of plaintext handed to the reader at a time. */
const PIECE = 256 * KiB
/** Segments fetched ahead of the one that is read. */
const READ_AHEAD = 1

interface Fetched {
  readonly plaintext: SharedBytes
  readonly lease: MemoryLease
}

export interface GetRequest extends GetOptions {
  readonly signal: AbortSignal
}

/**
 * Opens an object for reading. Its records are read here; shards only as the body is read. A body can be read once.
 * @throws WeftError E_OBJECT_NOT_FOUND, E_OBJECT_KEY (the reference has no key), E_RECORD_UNAVAILABLE
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
  const body =
    head.inline === undefined
      ? new ObjectBody(context, object, dataKey, head, request).read()
      : readInline(object, dataKey, head.inline, request)
  return { size: head.size, body }
}

async function* readInline(
  object: Uint8Array,
  dataKey: Uint8Array,
  inline: Uint8Array,
  { onProgress }: GetRequest,
): AsyncGenerator<Uint8Array> {
  const plaintext = new FrameCipher(deriveObjectKeys(dataKey, object)).open(0, true, inline)
  if (plaintext.length > 0) yield plaintext
  onProgress?.({ bytes: plaintext.length, total: plaintext.length })
}

class ObjectBody {
  readonly #context: ObjectContext
  readonly #object: Uint8Array
  readonly #dataKey: Uint8Array
  readonly #head: ObjectHead
  readonly #request: GetRequest
  readonly #pace = new FetchPace()

  constructor(context: ObjectContext, object: Uint8Array, dataKey: Uint8Array, head: ObjectHead, request: GetRequest) {
    this.#context = context
    this.#object = object
    this.#dataKey = dataKey
    this.#head = head
    this.#request = request
  }

  async *read(): AsyncGenerator<Uint8Array> {
    const { signal: wanted, onProgress } = this.#request
    const stop = new AbortController()
    const signal = AbortSignal.any([wanted, stop.signal])
    await using links = new HolderLinks({ streams: this.#context.streams, clock: this.#context.clock, signal })
    const ahead: Promise<Fetched>[] = []
    try {
      let bytes = 0
      for (let index = 0; index < this.#head.segments; index++) {
        this.#fetchAhead(index, ahead, links, signal)
        const { plaintext, lease } = await (ahead.shift() as Promise<Fetched>)
        try {
          for (let at = 0; at < plaintext.length; at += PIECE) {
            // A copy: the reader may keep it, and the buffer is for the next segment.
            yield plaintext.slice(at, at + PIECE)
            bytes += Math.min(PIECE, plaintext.length - at)
            onProgress?.({ bytes, total: this.#head.size })
          }
        } finally {
          this.#context.plaintexts.give(plaintext)
          lease.release()
        }
      }
    } finally {
      stop.abort()
      for (const result of await Promise.allSettled(ahead)) {
        if (result.status !== 'fulfilled') continue
        this.#context.plaintexts.give(result.value.plaintext)
        result.value.lease.release()
      }
    }
  }

  /** Starts segment `current` if it is not under way, and those after it that the memory budget has room for. */
  #fetchAhead(current: number, ahead: Promise<Fetched>[], links: HolderLinks, signal: AbortSignal): void {
    const end = Math.min(this.#head.segments, current + READ_AHEAD + 1)
    for (let index = current + ahead.length; index < end; index++) {
      const bytes = this.#memoryOf(index)
      const { memory } = this.#context
      const lease = index === current ? memory.take(bytes) : memory.tryTake(bytes)
      if (lease === undefined) return
      const fetching = this.#fetch(index, lease, links, signal)
      fetching.catch(() => {})
      ahead.push(fetching)
    }
  }

  async #fetch(index: number, lease: MemoryLease, links: HolderLinks, signal: AbortSignal): Promise<Fetched> {
    try {
      const { coding, records, plaintexts } = this.#context
      const { k, n } = this.#head.class
      const object = this.#object
      const dataKey = this.#dataKey
      const segment = await records.readSegment(object, this.#head, index, signal)
      const context = this.#context
      const shards = await fetchShards({
        context,
        links,
        pace: this.#pace,
        object,
        dataKey,
        k,
        segment,
        signal,
      })
      const last = index === this.#head.segments - 1
      const plaintext = plaintexts.take(plaintextLength(segment.length) as number)
      await coding.decode({
        kind: 'decode',
        dataKey,
        object,
        segment: index,
        last,
        length: segment.length,
        k,
        n,
        shards,
        plaintext,
      })
      for (const shard of shards) if (shard !== undefined) context.shards.give(shard)
      return { plaintext, lease }
    } catch (error) {
      lease.release()
      throw error
    }
  }

  /** Bytes that a segment takes while it is fetched and read: k shards (hedges are rare), and its plaintext. */
  #memoryOf(index: number): number {
    const { k } = this.#head.class
    const length = segmentLength(this.#head.sealed, index)
    return k * shardLengthOf(length, k) + length
  }
}
