import { abortError, throwIfAborted } from '@weft/core'
import type { ByteRange } from '../storage.ts'
import type { SharedBytes } from './coding-job.ts'
import { FetchPace, fetchShards } from './fetch-shards.ts'
import type { HolderLinks } from './holder-links.ts'
import type { MemoryLease } from './memory-budget.ts'
import type { ObjectContext } from './object-context.ts'
import { deriveObjectKeys } from './object-keys.ts'
import { plaintextLength, segmentLength, shardLengthOf } from './object-layout.ts'
import type { ObjectHead, ObjectSegment } from './object-records.ts'
import { rangeInSegment, segmentsOf } from './segment-range.ts'
import { RecordsAhead } from './records-ahead.ts'

/** Segments begun ahead of the one that is read, as far as the memory budget has room for them. */
const READ_AHEAD = 2
/** Plaintexts at once: one is read while the next is decoded. A third would be 16 MiB of memory for no speed. */
const PLAINTEXTS = 2

export interface SegmentPipelineOptions {
  readonly context: ObjectContext
  readonly links: HolderLinks
  readonly object: Uint8Array
  readonly dataKey: Uint8Array
  readonly head: ObjectHead
  /** What is read of the object; within it, and not empty. */
  readonly range: ByteRange
  /** Has to fire before `end`. */
  readonly signal: AbortSignal
}

/** A segment to be read; its buffer is the pipeline's again once it is given to `release`. */
export interface FetchedSegment {
  readonly plaintext: SharedBytes
  /** Where in `plaintext` what is wanted begins and ends: whole frames are opened. */
  readonly start: number
  readonly end: number
  readonly lease: MemoryLease
}

/**
 * The segments of one get, in order. Each goes through three stages: its shards arrive, they are checked and decoded,
 * and it is read. A segment is begun when the first shard of the one before has arrived, so that the connections always
 * have work, yet the coding thread gets whole shards of the earlier segment first; and its shards make room when they
 * are decoded, not only when it has been read.
 */
export class SegmentPipeline {
  readonly #options: SegmentPipelineOptions
  readonly #pace = new FetchPace()
  readonly #records: RecordsAhead
  /** Those begun and not yet taken by `next`, in order. */
  readonly #begun: Promise<FetchedSegment>[] = []
  /** Index of the segment that is read, or waited for. */
  #current: number
  /** Index of the segment to begin next. */
  #following: number
  /** Index of the segment behind the last one that is wanted. */
  readonly #end: number
  /** True while nothing of the segment begun last has arrived. */
  #starting = false
  /** Resolves when a segment was released, or the get ends. */
  #released = Promise.withResolvers<void>()

  constructor(options: SegmentPipelineOptions) {
    const { context, object, head, range, signal } = options
    this.#options = options
    const { first, end } = segmentsOf(range)
    this.#current = first
    this.#following = first
    this.#end = end
    const read = (index: number): Promise<ObjectSegment> => context.records.readSegment(object, head, index, signal)
    this.#records = new RecordsAhead(end, read, first)
  }

  /**
   * The next segment; the one before has to be released.
   * @throws WeftError as `fetchShards` and `ObjectRecords.readSegment`; E_OBJECT_KEY, E_ABORTED
   */
  async next(): Promise<FetchedSegment> {
    this.#advance()
    const segment = this.#begun.shift()
    if (segment !== undefined) return segment
    throw abortError(this.#options.signal)
  }

  /** Takes the buffer of the segment that `next` gave last back: it has been read. */
  release({ plaintext, lease }: FetchedSegment): void {
    this.#options.context.plaintexts.give(plaintext)
    lease.release()
    this.#current++
    this.#wakeDecoders()
  }

  /** Resolves when nothing is under way any more, and every buffer is given back. */
  async end(): Promise<void> {
    this.#wakeDecoders()
    for (const result of await Promise.allSettled(this.#begun.splice(0))) {
      if (result.status === 'fulfilled') this.release(result.value)
    }
  }

  /** Begins the segment that is waited for, if it was not begun, and what there is room for behind it. */
  #advance(): void {
    const { context, head, signal } = this.#options
    const end = Math.min(this.#end, this.#current + READ_AHEAD + 1)
    while (!this.#starting && !signal.aborted && this.#following < end) {
      const bytes = this.#shardBytes(this.#following) + segmentLength(head.sealed, this.#following)
      const isWaitedFor = this.#following === this.#current
      const lease = isWaitedFor ? context.memory.take(bytes) : context.memory.tryTake(bytes)
      if (lease === undefined) return
      this.#starting = true
      const fetching = this.#fetch(this.#following++, lease)
      fetching.catch(() => {})
      this.#begun.push(fetching)
    }
  }

  async #fetch(index: number, lease: MemoryLease): Promise<FetchedSegment> {
    const { context, links, object, dataKey, head, range, signal } = this.#options
    const { k, n } = head.class
    const isLast = index === head.segments - 1
    try {
      const segment = await this.#records.next()
      const onArrival = (): void => this.#arrived(index)
      const shards = await fetchShards({
        context,
        links,
        pace: this.#pace,
        object,
        sealKey: deriveObjectKeys(dataKey, object).sealKey,
        k,
        segment,
        signal,
        onArrival,
      })
      await this.#turnToDecode(index)
      const { frames, bytes, start, end } = rangeInSegment(range, index, plaintextLength(segment.length) as number)
      const plaintext = context.plaintexts.take(bytes)
      const job = {
        kind: 'decode',
        dataKey,
        object,
        segment: index,
        last: isLast,
        length: segment.length,
        frames,
        k,
        n,
      } as const
      await context.coding.decode({ ...job, shards, plaintext })
      for (const shard of shards) if (shard !== undefined) context.shards.give(shard)
      lease.release(this.#shardBytes(index))
      this.#advance()
      return { plaintext, start, end, lease }
    } catch (error) {
      lease.release()
      throw error
    }
  }

  /** In order, so that the segment that is read never waits for one behind it. @throws WeftError E_ABORTED */
  async #turnToDecode(index: number): Promise<void> {
    while (index >= this.#current + PLAINTEXTS) {
      throwIfAborted(this.#options.signal)
      await this.#released.promise
    }
  }

  #wakeDecoders(): void {
    this.#released.resolve()
    this.#released = Promise.withResolvers()
  }

  #arrived(index: number): void {
    if (!this.#starting || index !== this.#following - 1) return
    this.#starting = false
    this.#advance()
  }

  /** Bytes of the shards that a segment is decoded from: k of them, hedges are rare. */
  #shardBytes(index: number): number {
    const { sealed, class: stored } = this.#options.head
    return stored.k * shardLengthOf(segmentLength(sealed, index), stored.k)
  }
}
