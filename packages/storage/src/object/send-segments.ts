import { type Fault, WeftError, throwIfAborted, toWeftError } from '@weft/core'
import type { ShardRecord } from './object-records.ts'
import type { SharedBytes } from './coding-job.ts'
import type { MemoryLease } from './memory-budget.ts'
import type { ObjectContext } from './object-context.ts'
import { SEGMENT_PLAINTEXT, sealedLength, shardLengthOf } from './object-layout.ts'
import type { OpenHolder } from './open-holders.ts'
import type { SegmentPiece, SegmentSource } from './segment-source.ts'
import { StallWatch } from './stall-watch.ts'

/** Segments of one put in memory at once: one is encoded while the other is sent. */
const MAX_IN_FLIGHT = 2
/** No holder acknowledged any shard for this long although some are under way: the put fails, ms. */
const STALL_MS = 120_000

export interface SentSegment {
  readonly index: number
  readonly length: number
  readonly shardLength: number
  readonly shards: readonly ShardRecord[]
}

export interface SendSegments {
  readonly context: Pick<ObjectContext, 'coding' | 'memory' | 'plaintexts' | 'shards' | 'clock'>
  readonly source: SegmentSource
  /** What was read of the source already: its first segment. */
  readonly first: SegmentPiece
  readonly object: Uint8Array
  readonly dataKey: Uint8Array
  readonly k: number
  /** n, in order of preference. */
  readonly holders: readonly OpenHolder[]
  readonly signal: AbortSignal
  /** Called for each segment, in no certain order, once all its shards are on disk. */
  readonly onSegment: (segment: SentSegment) => Promise<void>
  /** Bytes of plaintext that all holders have by now. */
  readonly onProgress: (bytes: number) => void
}

/**
 * The body of a put: segment after segment is read, encoded in a worker, and each shard sent to its holder as soon as
 * it is sealed. Resolves when every shard is on disk at its holder. Memory is that of two segments.
 * @throws whatever failed first, after all that was under way has ended.
 */
export async function sendSegments(job: SendSegments): Promise<void> {
  await new SegmentSender(job).run()
}

class SegmentSender {
  readonly #job: SendSegments
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #inFlight = new Set<Promise<void>>()
  #failure: Error | undefined
  #confirmed = 0

  constructor(job: SendSegments) {
    this.#job = job
    this.#signal = AbortSignal.any([job.signal, this.#stop.signal])
  }

  async run(): Promise<void> {
    const { clock } = this.#job.context
    using stall = new StallWatch(clock, STALL_MS, () => this.#stop.abort(stalled()))
    try {
      await this.#sendAll(stall)
    } catch (error) {
      this.#fail(error)
    }
    await Promise.all(this.#inFlight)
    if (this.#failure !== undefined) throw this.#failure
    throwIfAborted(this.#signal)
  }

  async #sendAll(stall: StallWatch): Promise<void> {
    const { context, source, first } = this.#job
    let piece = first
    for (let index = 0; ; index++) {
      const lease = await this.#reserve(piece.plaintext.length, index > 0)
      this.#start(index, piece, lease, stall)
      if (piece.last) return
      while (this.#inFlight.size >= MAX_IN_FLIGHT) await Promise.race(this.#inFlight)
      throwIfAborted(this.#signal)
      piece = await source.next(context.plaintexts.take(source.nextLength), this.#signal)
    }
  }

  /** Memory for one more segment; it waits for those of this put, never for other transfers. */
  async #reserve(plaintext: number, isAhead: boolean): Promise<MemoryLease> {
    const { memory } = this.#job.context
    const bytes = plaintext + this.#job.holders.length * this.#shardLength(plaintext)
    for (;;) {
      throwIfAborted(this.#signal)
      if (!isAhead || this.#inFlight.size === 0) return memory.take(bytes)
      const lease = memory.tryTake(bytes)
      if (lease !== undefined) return lease
      await Promise.race(this.#inFlight)
    }
  }

  #start(index: number, piece: SegmentPiece, lease: MemoryLease, stall: StallWatch): void {
    const task = this.#send(index, piece, lease, stall)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        lease.release()
        this.#inFlight.delete(task)
      })
    this.#inFlight.add(task)
  }

  async #send(segment: number, piece: SegmentPiece, lease: MemoryLease, stall: StallWatch): Promise<void> {
    const { context, object, dataKey, k, holders, onSegment } = this.#job
    const n = holders.length
    const size = piece.plaintext.length
    const length = sealedLength(size)
    const shardLength = this.#shardLength(size)
    // Holders take turns, so that the data shards of a large object, which reads prefer, are spread over all of them.
    const turns = Array.from({ length: n }, (_, index) => holders[(index + segment) % n] as OpenHolder)
    const nodes = turns.map(({ key }) => key)
    const shards: ShardRecord[] = []
    const sending: Promise<void>[] = []
    const send = async (index: number, shard: SharedBytes): Promise<void> => {
      const { client } = turns[index] as OpenHolder
      await stall.watch(client.put({ object, segment, index }, shard, this.#signal))
      context.shards.give(shard)
      lease.release(shardLength)
      this.#confirm(size / n)
    }
    const job = {
      kind: 'encode',
      dataKey,
      object,
      segment,
      last: piece.last,
      plaintext: piece.plaintext,
      k,
      n,
      nodes,
    } as const
    const buffers = Array.from({ length: n }, () => context.shards.take(shardLength))
    await context.coding.encode({ ...job, shards: buffers }, ({ index, root }) => {
      const { id, key } = turns[index] as OpenHolder
      shards[index] = { index, node: id, nodeKey: key, root }
      const sent = send(index, buffers[index] as SharedBytes)
      sent.catch((error: unknown) => this.#fail(error))
      sending.push(sent)
    })
    context.plaintexts.give(piece.plaintext)
    lease.release(size)
    await Promise.all(sending)
    await onSegment({ index: segment, length, shardLength, shards })
  }

  #shardLength(plaintext: number): number {
    return shardLengthOf(sealedLength(Math.min(plaintext, SEGMENT_PLAINTEXT)), this.#job.k)
  }

  #confirm(bytes: number): void {
    this.#confirmed += bytes
    this.#job.onProgress(Math.round(this.#confirmed))
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : toWeftError(error, SOURCE_FAILED)
    this.#stop.abort(error)
  }
}

/** Only a source can throw what is no error. */
const SOURCE_FAILED: Fault = {
  code: 'E_PUT_FAILED',
  cause: 'The source of the put failed without a reason.',
  fix: 'Put it again.',
}

function stalled(): WeftError {
  return new WeftError({
    code: 'E_PUT_STALLED',
    cause: `No holder stored anything for ${STALL_MS / 1000} s.`,
    fix: 'Check the network of this node (`weft peers`), then put it again.',
    retryable: true,
  })
}
