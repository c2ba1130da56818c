import { Emitter, type Clock, type Random, Semaphore } from '@weft/core'
import { wipe } from '@weft/crypto'
import type {
  GetOptions,
  ObjectReader,
  ObjectRemoval,
  ObjectRenewal,
  ObjectStatus,
  OpenPrivate,
  PutOptions,
  PutResult,
  RemoveOptions,
  RenewOptions,
  RepairCounts,
  StatOptions,
  Storage,
  StorageEvents,
  StoredObject,
} from '../storage.ts'
import { getObject } from './get-object.ts'
import type { ObjectContext } from './object-context.ts'
import type { ObjectIndex } from './object-index.ts'
import { type ObjectRef, objectId, parseObjectRef } from './object-ref.ts'
import { type PrivateContext, privateContext } from './private-context.ts'
import { newObject, putObject } from './put-object.ts'
import { putRequest } from './put-request.ts'
import { Removals } from './removals.ts'
import { Renewals } from './renewals.ts'
import { Repairs } from './repairs.ts'
import { statObject } from './stat-object.ts'
import { TransferReport } from './transfer-report.ts'

/** How long a holder outside of the map may be away before its shards are made again, ms. */
const GRACE_MS = 4 * 3_600_000
/** Puts at once; each takes the memory of a segment at least, the next ones wait. */
const MAX_PUTS = 8

export interface ObjectStorageOptions {
  readonly context: ObjectContext
  readonly index: ObjectIndex
  readonly openPrivate: OpenPrivate | undefined
  readonly held: Storage['held']
  readonly audits: Storage['audits']
  readonly close: () => Promise<void>
}

/** The objects of a person on top of overlay and holders: what `createStorage` gives out. */
export class ObjectStorage implements Storage {
  readonly #context: ObjectContext
  readonly #index: ObjectIndex
  readonly #openPrivate: OpenPrivate | undefined
  readonly #close: () => Promise<void>
  readonly #events = new Emitter<StorageEvents>()
  readonly #removals: Removals
  readonly #renewals: Renewals
  readonly #repairs: Repairs
  readonly #puts = new Semaphore(MAX_PUTS)
  readonly held: Storage['held']
  readonly audits: Storage['audits']

  constructor({ context, index, openPrivate, held, audits, close }: ObjectStorageOptions) {
    this.#context = context
    this.#index = index
    this.#openPrivate = openPrivate
    this.#close = close
    this.#removals = new Removals({ context, openPrivate, index, events: this.#events })
    this.#renewals = new Renewals({ context, openPrivate, index })
    this.#repairs = new Repairs({ context, index, graceMs: GRACE_MS })
    this.held = held
    this.audits = audits
  }

  async put(source: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<PutResult> {
    const object = newObject(this.#context)
    const id = objectId(object.key.publicKey)
    const { self, membership } = this.#context.overlay
    // To the holders of a private object nobody is a member.
    const isPrivate = options.private === true
    const { name, ttlMs } = putRequest(options, id, !isPrivate && membership.isMember(self))
    const signal = this.#signal(options.signal)
    const report = this.#report('put', id, options.size)
    const seed = object.key.seed()
    try {
      const onProgress = reporting(report, options.onProgress)
      const onHolderLost = (event: StorageEvents['holderLost']): void => this.#events.emit('holderLost', event)
      const stored = await this.#puts.use(
        () =>
          this.#with(isPrivate, signal, (context) =>
            putObject(
              context,
              source,
              object,
              { ...options, name, ttlMs, signal, onProgress, onHolderLost },
              (one, holders) => this.#index.add(one, seed, holders),
            ),
          ),
        signal,
      )
      report.done()
      return stored
    } catch (error) {
      report.failed(error)
      throw error
    } finally {
      wipe(seed, object.dataKey)
    }
  }

  async get(ref: string, options: GetOptions = {}): Promise<ObjectReader> {
    const parsed = parseObjectRef(ref, this.#context.overlay.networkId)
    this.#removals.refuse(objectId(parsed.object))
    const report = this.#report('get', objectId(parsed.object), undefined)
    const signal = this.#signal(options.signal)
    try {
      const onProgress = reporting(report, options.onProgress)
      const { context, close } = await this.#contextOf(this.#isPrivate(parsed, options), signal)
      // A body that nobody reads has no end of its own.
      const onAbort = (): void => void close()
      signal.addEventListener('abort', onAbort, { once: true })
      const end = async (): Promise<void> => {
        signal.removeEventListener('abort', onAbort)
        await close()
      }
      try {
        const { range } = options
        const reader = await getObject(context, parsed, { ...(range && { range }), signal, onProgress })
        return { size: reader.size, body: reportingEnd(reader.body, report, end) }
      } catch (error) {
        await end()
        throw error
      }
    } catch (error) {
      report.failed(error)
      throw error
    }
  }

  async stat(ref: string, options: StatOptions = {}): Promise<ObjectStatus> {
    const parsed = parseObjectRef(ref, this.#context.overlay.networkId)
    this.#removals.refuse(objectId(parsed.object))
    const signal = this.#signal(options.signal)
    return this.#with(this.#isPrivate(parsed, options), signal, (context) =>
      statObject(context, parsed, { first: options.first ?? 0, signal }),
    )
  }

  async remove(object: string, options: RemoveOptions = {}): Promise<ObjectRemoval> {
    this.#renewals.forget(object)
    return this.#removals.remove(object, this.#signal(options.signal))
  }

  removal(object: string): ObjectRemoval | undefined {
    return this.#removals.removal(object)
  }

  removals(): readonly ObjectRemoval[] {
    return this.#removals.list()
  }

  async renew(object: string, ttlMs: number, options: RenewOptions = {}): Promise<ObjectRenewal> {
    return this.#renewals.renew(object, ttlMs, this.#signal(options.signal))
  }

  renewal(object: string): ObjectRenewal | undefined {
    return this.#renewals.renewal(object)
  }

  repaired(): RepairCounts {
    return this.#repairs.counts
  }

  /** Resolves when nothing is under way in the background, after the signal of the context fired. */
  async settled(): Promise<void> {
    await Promise.all([this.#removals.settled(), this.#renewals.settled(), this.#repairs.settled()])
  }

  list(): readonly StoredObject[] {
    return this.#index.list(this.#context.clock.now())
  }

  on<K extends keyof StorageEvents>(name: K, listener: (event: StorageEvents[K]) => void): () => void {
    return this.#events.on(name, listener)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }

  /** What was put privately is nobody's business later either. */
  #isPrivate({ object }: ObjectRef, options: { readonly private?: boolean }): boolean {
    return options.private === true || this.#index.isPrivate(objectId(object))
  }

  async #contextOf(isPrivate: boolean, signal: AbortSignal): Promise<PrivateContext> {
    if (!isPrivate) return { context: this.#context, close: async () => {} }
    return privateContext(this.#context, this.#openPrivate, signal)
  }

  async #with<T>(isPrivate: boolean, signal: AbortSignal, task: (context: ObjectContext) => Promise<T>): Promise<T> {
    const { context, close } = await this.#contextOf(isPrivate, signal)
    try {
      return await task(context)
    } finally {
      await close()
    }
  }

  #signal(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#context.signal : AbortSignal.any([this.#context.signal, signal])
  }

  #report(kind: StorageEvents['transfer']['kind'], object: string, total: number | undefined): TransferReport {
    const { clock, random }: { clock: Clock; random: Random } = this.#context
    return new TransferReport({ emitter: this.#events, clock, random, kind, object, total })
  }
}

type OnProgress = NonNullable<GetOptions['onProgress']>

function reporting(report: TransferReport, onProgress: OnProgress | undefined): OnProgress {
  return (progress) => {
    report.update(progress)
    onProgress?.(progress)
  }
}

/** Passes a body on; a reader that stops early is told as a failed transfer, since it did not get the object. */
async function* reportingEnd(
  body: AsyncIterable<Uint8Array>,
  report: TransferReport,
  close: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body
    report.done()
  } catch (error) {
    report.failed(error)
    throw error
  } finally {
    report.abandoned()
    await close()
  }
}
