import { type Fault, WeftError, throwIfAborted, toWeftError } from '@weft/core'
import type { SharedBytes } from './coding-job.ts'
import type { HolderLinks } from './holder-links.ts'
import type { MemoryLease } from './memory-budget.ts'
import type { ObjectContext } from './object-context.ts'
import { deriveObjectKeys } from './object-keys.ts'
import { SEGMENT_PLAINTEXT, sealedLength, shardLengthOf } from './object-layout.ts'
import type { OpenHolder } from './open-holder.ts'
import type { PutHolders } from './put-holders.ts'
import { type PlacedSegment, type PutLedger, newRoots, seatOf, setPlace } from './put-ledger.ts'
import { SegmentMender } from './segment-mender.ts'
import type { SegmentPiece, SegmentSource } from './segment-source.ts'
import { ShardSender } from './shard-sender.ts'
import { StallWatch } from './stall-watch.ts'

/** Segments of one put in memory at once: one is encoded while the other is sent. */
const MAX_IN_FLIGHT = 2
/** No holder acknowledged any shard for this long although some are under way: the put fails, ms. */
const STALL_MS = 120_000

export interface SendSegments {
  readonly context: ObjectContext
  readonly links: HolderLinks
  readonly source: SegmentSource
  /** What was read of the source already: its first segment. */
  readonly first: SegmentPiece
  readonly object: Uint8Array
  readonly dataKey: Uint8Array
  readonly k: number
  readonly holders: PutHolders
  /** Gets each segment, in no certain order, once all its shards are on disk. */
  readonly ledger: PutLedger
  /** Called now and then when the shards of all segments in the ledger are where they belong. */
  readonly onMended: () => Promise<void>
  /** Bytes of plaintext that all holders have by now. */
  readonly onProgress: (bytes: number) => void
}

/**
 * The body of a put: segment after segment is read, encoded in a worker, and each shard sent to its holder as soon as
 * it is sealed. Resolves when every shard is on disk at its holder, and the holders have said so once more. Shards that
 * went with a holder are made again before the next segment is begun. Memory is that of two segments.
 * @throws whatever failed first, after all that was under way has ended.
 */
export async function sendSegments(job: SendSegments): Promise<void> {
  const { context, holders } = job
  using stall = new StallWatch(context.clock, STALL_MS, () => holders.fail(stalled()))
  await new SegmentSender(job, stall).run()
}

class SegmentSender {
  readonly #job: SendSegments
  readonly #sender: ShardSender
  readonly #mender: SegmentMender
  readonly #inFlight = new Set<Promise<void>>()
  #failure: Error | undefined
  #confirmed = 0

  constructor(job: SendSegments, stall: StallWatch) {
    this.#job = job
    const { sealKey } = deriveObjectKeys(job.dataKey, job.object)
    this.#sender = new ShardSender({ ...job, sealKey, stall })
    this.#mender = new SegmentMender({
      ...job,
      sealKey,
      sender: this.#sender,
      reserve: (bytes) => this.#reserve(bytes, true),
    })
  }

  async run(): Promise<void> {
    try {
      await this.#sendAll()
    } catch (error) {
      this.#fail(error)
    }
    await Promise.all(this.#inFlight)
    if (this.#failure === undefined) await this.#mender.settle().catch((error: unknown) => this.#fail(error))
    if (this.#failure !== undefined) throw this.#failure
    throwIfAborted(this.#job.holders.signal)
  }

  async #sendAll(): Promise<void> {
    const { context, source, first, holders, onMended } = this.#job
    let piece = first
    for (let index = 0; ; index++) {
      const size = piece.plaintext.length
      const lease = await this.#reserve(size + holders.n * this.#shardLength(size), index > 0)
      this.#start(index, piece, lease)
      if (piece.last) return
      while (this.#inFlight.size >= MAX_IN_FLIGHT) await Promise.race(this.#inFlight)
      await this.#mender.mend()
      await onMended()
      throwIfAborted(holders.signal)
      piece = await source.next(context.plaintexts.take(source.nextLength), holders.signal)
    }
  }

  /** Memory for one more segment; it waits for those of this put, never for other transfers. */
  async #reserve(bytes: number, isAhead: boolean): Promise<MemoryLease> {
    const { context, holders } = this.#job
    for (;;) {
      throwIfAborted(holders.signal)
      if (!isAhead || this.#inFlight.size === 0) return context.memory.take(bytes)
      const lease = context.memory.tryTake(bytes)
      if (lease !== undefined) return lease
      await Promise.race(this.#inFlight)
    }
  }

  #start(index: number, piece: SegmentPiece, lease: MemoryLease): void {
    const task = this.#send(index, piece, lease)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        lease.release()
        this.#inFlight.delete(task)
      })
    this.#inFlight.add(task)
  }

  async #send(segment: number, piece: SegmentPiece, lease: MemoryLease): Promise<void> {
    const { context, object, dataKey, k, holders, ledger } = this.#job
    const { n } = holders
    const size = piece.plaintext.length
    const length = sealedLength(size)
    const shardLength = this.#shardLength(size)
    const all = holders.all
    const turns = Array.from({ length: n }, (_, index) => all[seatOf(segment, index, n)] as OpenHolder)
    const placed: PlacedSegment = { index: segment, length, shardLength, roots: newRoots(n), nodes: [] }
    const sending: Promise<void>[] = []
    const send = async (index: number, shard: SharedBytes, root: Uint8Array): Promise<void> => {
      const holder = turns[index] as OpenHolder
      setPlace(placed, index, await this.#sender.send({ segment, index, shard, root, holder }))
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
      nodes: turns.map(({ key }) => key),
    } as const
    const buffers = Array.from({ length: n }, () => context.shards.take(shardLength))
    await context.coding.encode({ ...job, shards: buffers }, ({ index, root }) => {
      const sent = send(index, buffers[index] as SharedBytes, root)
      sent.catch((error: unknown) => this.#fail(error))
      sending.push(sent)
    })
    context.plaintexts.give(piece.plaintext)
    lease.release(size)
    await Promise.all(sending)
    ledger.add(placed)
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
    this.#job.holders.fail(this.#failure)
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
