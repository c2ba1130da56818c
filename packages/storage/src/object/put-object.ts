import {
  type Fault,
  Semaphore,
  WeftError,
  isWeftError,
  messageOf,
  throwIfAborted,
  toWeftError,
  withTimeout,
} from '@weft/core'
import { type DidKey, SigningKey, wipe } from '@weft/crypto'
import { authorizeCommit } from '../holder/shard-authorization.ts'
import type { ShardClient } from '../holder/shard-client.ts'
import { happiness } from '../placement/happiness.ts'
import type { PutOptions, PutResult, StorageClass, StorageEvents, StoredObject } from '../storage.ts'
import { FrameCipher } from './frame-cipher.ts'
import { HolderLinks } from './holder-links.ts'
import { type ObjectContext, isReachable, storageMembers } from './object-context.ts'
import { MAX_INLINE, sealedLength, segmentCount } from './object-layout.ts'
import { deriveObjectKeys } from './object-keys.ts'
import { formatObjectRef, objectId } from './object-ref.ts'
import { holdersReplaced } from './lost-holders.ts'
import { PutHolders } from './put-holders.ts'
import { PutLedger, recordOf } from './put-ledger.ts'
import { wrapSealKey } from './seal-keys.ts'
import { SegmentSource } from './segment-source.ts'
import { sendSegments } from './send-segments.ts'
import { defaultClass, storageClass } from './storage-class.ts'

/** Records written at once; more would only queue at the record holders. */
const RECORD_WRITES = 8
/**
 * Segments whose records wait for the end of the put, as their holders may change until then (64 GiB); beyond it they
 * are written on the way, so memory stays flat.
 */
const MAX_WAITING_RECORDS = 4096
/** A holder that does not answer a commit or a check within this fails the put, ms. */
const COMMIT_TIMEOUT_MS = 15_000
/** What an undo may take, ms. What it cannot reach ends by itself: uncommitted shards with their stream. */
const UNDO_TIMEOUT_MS = 5_000
/** Shards of this many segments are asked for at once (the limit of ShardStat). */
const STAT_SEGMENTS = 4096

export interface NewObject {
  readonly key: SigningKey
  readonly dataKey: Uint8Array
}

export interface PutRequest extends PutOptions {
  readonly name: string
  readonly ttlMs: number
  readonly signal: AbortSignal
  readonly onHolderLost?: (event: StorageEvents['holderLost']) => void
}

/** A fresh identity for an object: its key links it to nothing else of its owner. */
export function newObject({ random }: Pick<ObjectContext, 'random'>): NewObject {
  const seed = random.bytes(32)
  const key = new SigningKey(seed)
  wipe(seed)
  return { key, dataKey: random.bytes(32) }
}

/**
 * Puts one object: encrypts, codes, places, and resolves when all n shards of all segments, and the records, are on
 * disk and committed. `register` is the last step before; if it or anything before it fails, nothing stays.
 * @throws WeftError E_CLASS_UNAVAILABLE before a byte is sent; E_HOLDERS_LOST, E_PUT_FAILED, E_ABORTED, or the fault of the part that failed.
 */
export async function putObject(
  context: ObjectContext,
  input: AsyncIterable<Uint8Array>,
  object: NewObject,
  request: PutRequest,
  register: (stored: StoredObject, holders: readonly DidKey[]) => void,
): Promise<PutResult> {
  await using source = new SegmentSource(input, request.size)
  await using links = new HolderLinks({
    streams: context.streams,
    openMs: context.openMs,
    clock: context.clock,
    signal: context.signal,
  })
  const put = new Put(context, source, links, object, request)
  try {
    const stored = await put.run()
    register(stored, put.holders)
    return { ...stored, warnings: put.warnings }
  } catch (error) {
    await put.undo()
    throw putFailed(error, request.signal)
  }
}

class Put {
  readonly #context: ObjectContext
  readonly #source: SegmentSource
  readonly #links: HolderLinks
  readonly #object: NewObject
  readonly #request: PutRequest
  readonly #expiresAt: number
  readonly #createdAt: number
  readonly #recordSlots = new Semaphore(RECORD_WRITES)
  readonly #ledger = new PutLedger()
  #holders: PutHolders | undefined
  #segmentRecords = 0
  #headWritten = false

  constructor(
    context: ObjectContext,
    source: SegmentSource,
    links: HolderLinks,
    object: NewObject,
    request: PutRequest,
  ) {
    this.#context = context
    this.#source = source
    this.#links = links
    this.#object = object
    this.#request = request
    this.#createdAt = context.clock.now()
    this.#expiresAt = this.#createdAt + request.ttlMs
  }

  /** Who has shards of it in the end, or fell out and may have kept some. */
  get holders(): readonly DidKey[] {
    return this.#segmentRecords === 0 ? [] : (this.#holders?.mayHave ?? [])
  }

  async run(): Promise<StoredObject> {
    const { signal, size, onProgress } = this.#request
    const stored = this.#class()
    // Where the length is told, a class that cannot be had is refused before the source is read.
    if (size !== undefined && size > MAX_INLINE) await this.#open(stored)
    const { plaintexts } = this.#context
    const first = await this.#source.next(plaintexts.take(this.#source.nextLength), signal)
    if (first.last && first.plaintext.length <= MAX_INLINE) {
      await this.#putInline(stored, first.plaintext)
      plaintexts.give(first.plaintext)
      onProgress?.({ bytes: first.plaintext.length, total: size })
    } else {
      const holders = this.#holders ?? (await this.#open(stored))
      await sendSegments({
        context: this.#context,
        links: this.#links,
        source: this.#source,
        first,
        object: this.#object.key.publicKey,
        dataKey: this.#object.dataKey,
        k: stored.k,
        holders,
        ledger: this.#ledger,
        onMended: () => this.#onMended(),
        onProgress: (bytes) => onProgress?.({ bytes, total: size }),
      })
      await this.#finish(stored, holders)
    }
    throwIfAborted(signal)
    return this.#stored(stored)
  }

  /** What whoever put it should know. */
  get warnings(): readonly Fault[] {
    const lost = this.#holders?.lost ?? []
    return lost.length === 0 ? [] : [holdersReplaced(lost)]
  }

  /** Takes everything back that a failed put left anywhere; within a bounded time, whatever the holders do. */
  async undo(): Promise<void> {
    const { clock, logger } = this.#context
    const late = (): WeftError =>
      new WeftError({ code: 'E_CALL_TIMEOUT', cause: 'Undoing a put took too long.', fix: 'Nothing to do.' })
    const undo = async (signal: AbortSignal): Promise<void> => {
      const releases = this.#holders === undefined ? [] : [this.#holders.release(signal)]
      const segments = Array.from({ length: this.#segmentRecords }, (_, index) => index)
      const records = [...(this.#headWritten ? [undefined] : []), ...segments].map((segment) =>
        this.#recordSlots.use(() => this.#context.records.withdraw(this.#object.key, segment, signal), signal),
      )
      const results = await Promise.allSettled([...releases, ...records])
      const failed = results.filter((result) => result.status === 'rejected')
      if (failed.length === 0) return
      logger.warn('storage: parts of a failed put could not be taken back', {
        parts: results.length,
        failed: failed.length,
        error: messageOf(failed[0]?.reason),
      })
    }
    await withTimeout(clock, UNDO_TIMEOUT_MS, undefined, late, undo).catch((error: unknown) => {
      logger.warn('storage: undoing a failed put did not end in time', { error: messageOf(error) })
    })
  }

  #class(): StorageClass {
    if (this.#request.class !== undefined) return storageClass(this.#request.class)
    return defaultClass(storageMembers(this.#context).filter((member) => isReachable(this.#context, member)).length)
  }

  async #open(stored: StorageClass): Promise<PutHolders> {
    const { key } = this.#object
    const { signal, onHolderLost } = this.#request
    const init = { context: this.#context, links: this.#links, key, stored, signal, onHolderLost }
    return (this.#holders = await PutHolders.open(init))
  }

  async #putInline(stored: StorageClass, plaintext: Uint8Array): Promise<void> {
    const { key, dataKey } = this.#object
    const { ciphertext, tag } = new FrameCipher(deriveObjectKeys(dataKey, key.publicKey)).seal(0, true, plaintext)
    const inline = new Uint8Array(Buffer.concat([ciphertext, tag]))
    await this.#writeHead(stored, inline.length, inline)
  }

  async #onMended(): Promise<void> {
    if (this.#ledger.size > MAX_WAITING_RECORDS) await this.#writeSegments()
  }

  async #finish(stored: StorageClass, holders: PutHolders): Promise<void> {
    const { key } = this.#object
    const sealed = sealedLength(this.#source.bytesRead)
    await this.#writeSegments()
    await this.#writeHead(stored, sealed)
    const commit = authorizeCommit(key, this.#expiresAt)
    await this.#atEach(holders, (client, signal) => client.commit(commit, signal))
    await this.#confirm(stored, holders, segmentCount(sealed))
  }

  async #writeSegments(): Promise<void> {
    const { signal } = this.#request
    const { records } = this.#context
    await Promise.all(
      this.#ledger.take().map((segment) => {
        this.#segmentRecords = Math.max(this.#segmentRecords, segment.index + 1)
        return this.#recordSlots.use(
          () => records.writeSegment(this.#object.key, recordOf(segment), this.#expiresAt, signal),
          signal,
        )
      }),
    )
  }

  async #writeHead(stored: StorageClass, sealed: number, inline?: Uint8Array): Promise<void> {
    this.#headWritten = true
    const head = { class: stored, sealed, ...(inline === undefined ? { sealKeys: this.#sealKeys() } : { inline }) }
    await this.#context.records.writeHead(this.#object.key, head, this.#expiresAt, this.#request.signal)
  }

  #sealKeys(): Uint8Array {
    const { key, dataKey } = this.#object
    const { overlay, random } = this.#context
    const { sealKey } = deriveObjectKeys(dataKey, key.publicKey)
    const validators = overlay.term().validators.map(({ id }) => id)
    return wrapSealKey(sealKey, key.publicKey, validators, random)
  }

  /**
   * The happiness condition: what the holders now say they have lets every shard of every segment be counted on a node
   * of its own. A holder that let go of provisional shards in a very long put is found here, before the acknowledgement.
   */
  async #confirm(stored: StorageClass, all: PutHolders, segments: number): Promise<void> {
    for (let first = 0; first < segments; first += STAT_SEGMENTS) {
      const count = Math.min(STAT_SEGMENTS, segments - first)
      const holders = Array.from({ length: count }, () => Array.from({ length: stored.n }, (): string[] => []))
      await this.#atEach(all, async (client, signal, id) => {
        for (const shard of await client.stat(this.#object.key.publicKey, first, count, signal)) {
          if (!shard.corrupt) holders[shard.segment - first]?.[shard.index]?.push(id)
        }
      })
      for (const [at, shards] of holders.entries()) {
        const safe = happiness(shards)
        if (safe < stored.n) throw unhappy(first + at, safe, stored)
      }
    }
  }

  /** A stream that broke is opened again once: what came by it stays for a while. */
  async #atEach(
    holders: PutHolders,
    task: (client: ShardClient, signal: AbortSignal, id: DidKey) => Promise<void>,
  ): Promise<void> {
    const late = (): WeftError =>
      new WeftError({
        code: 'E_CALL_TIMEOUT',
        cause: `A holder did not answer within ${COMMIT_TIMEOUT_MS} ms at the end of the put.`,
        fix: 'Put it again; the slow node is left out once the overlay sees it as unreachable.',
        retryable: true,
      })
    await withTimeout(this.#context.clock, COMMIT_TIMEOUT_MS, this.#request.signal, late, (signal) =>
      Promise.all(
        holders.all.map(async ({ id }) => {
          const client = await this.#links.client(id)
          try {
            await task(client, signal, id)
          } catch (error) {
            if (error !== client.failure) throw error
            await task(await this.#links.client(id), signal, id)
          }
        }),
      ),
    )
  }

  #stored(stored: StorageClass): StoredObject {
    const { key, dataKey } = this.#object
    const object = objectId(key.publicKey)
    return {
      ref: formatObjectRef({ networkId: this.#context.overlay.networkId, object: key.publicKey, dataKey }),
      object,
      name: this.#request.name,
      size: this.#source.bytesRead,
      class: stored.name,
      createdAt: this.#createdAt,
      expiresAt: this.#expiresAt,
      private: this.#context.isPrivate,
    }
  }
}

function unhappy(segment: number, safe: number, { n }: StorageClass): WeftError {
  return new WeftError({
    code: 'E_PUT_FAILED',
    cause: `Only ${safe} of ${n} shards of segment ${segment} lie on distinct nodes after the commit.`,
    fix: 'Put it again.',
    retryable: true,
    details: { segment, safe, needed: n },
  })
}

function putFailed(error: unknown, signal: AbortSignal): WeftError {
  if (signal.aborted && isWeftError(signal.reason)) return signal.reason
  return toWeftError(error, {
    code: isAbort(error) ? 'E_ABORTED' : 'E_PUT_FAILED',
    cause: isAbort(error) ? 'The put was cancelled.' : `The source of the put failed: ${messageOf(error)}.`,
    fix: 'Put it again; nothing of it was kept.',
  })
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}
