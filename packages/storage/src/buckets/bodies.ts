import { type Clock, type Logger, type Random, isWeftError, messageOf, throwIfAborted, toHex } from '@weft/core'
import { checkedRange } from '../object/segment-range.ts'
import { inWindow } from '../object/in-window.ts'
import type { ByteRange, GetOptions, ObjectReader, Storage, StorageClass } from '../storage.ts'
import { BodyDigests, type ExpectedDigests } from './body-digests.ts'
import type { ChecksumName, Checksums, PutInto } from './buckets.ts'
import type { Catalog } from './catalog.ts'
import type { BodyPart, OwnObject } from './catalog-records.ts'
import { UnreadBody } from './unread-body.ts'

/** What the names begin with by which bodies are in `Storage`. */
const BODY_NAME = 'bucket:'
/** Objects removed at once in the background. */
const REMOVED_AT_ONCE = 4
/** Looked at in one go. */
const GARBAGE_BATCH = 64
/** What could not be removed is tried again after this, ms. */
const RETRY_MS = 60_000

export const RESTORED_NAME = `${BODY_NAME}restored`
const BODY_NAMES = /^bucket:(?:[0-9a-f]{32}|restored)$/

/** Whether an object of this name is a body of named objects. */
export function isBodyName(name: string): boolean {
  return BODY_NAMES.test(name)
}

export interface BodiesParts {
  readonly storage: Pick<Storage, 'put' | 'get' | 'remove' | 'list'>
  readonly catalog: Catalog
  /** What makes this person the owner of an object that was put here. */
  readonly ownOf: (object: string) => OwnObject | undefined
  /** ms that an object put now may live at most. */
  readonly longestTtl: () => number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Fires when the storage closes. */
  readonly signal: AbortSignal
}

export type StoreOptions = Pick<PutInto, 'size' | 'signal' | 'onProgress'> &
  ExpectedDigests & { readonly class: StorageClass['name'] | undefined }

/** Bytes that are in `Storage` and that nothing names yet. */
export interface StoredBody {
  /** Under which the catalog knows that they may be there. */
  readonly intent: string
  readonly part: BodyPart
  readonly etag: string
  readonly checksums: Checksums
}

/**
 * The bytes of named objects: each body, or part of one, is an object of `Storage`. Before one is put the catalog notes
 * the name that it is put by, so that what nobody names after a crash is found; what nobody names any more is removed in
 * the background, and at the next start if need be.
 */
export class Bodies {
  readonly #parts: BodiesParts
  /** Objects that are being read; they are removed when the last reader is through. */
  readonly #readers = new Map<string, number>()
  /** Those that could not be removed; tried again later. */
  readonly #stuck = new Set<string>()
  #running: Promise<void> | undefined
  #again = false
  #cancelRetry = (): void => {}

  constructor(parts: BodiesParts) {
    this.#parts = parts
    parts.catalog.settleIntents(parts.storage.list())
    parts.signal.addEventListener('abort', () => this.#cancelRetry(), { once: true })
    this.collect()
  }

  /** @param wanted checksums that are computed in any case. @throws WeftError E_DIGEST, what the body throws, and as `Storage.put`; then nothing stays */
  async store(
    body: AsyncIterable<Uint8Array>,
    options: StoreOptions,
    wanted: readonly ChecksumName[] = [],
  ): Promise<StoredBody> {
    const { storage, catalog, random, longestTtl, ownOf } = this.#parts
    const { size, signal, onProgress, class: stored } = options
    throwIfAborted(signal)
    const digests = new BodyDigests(options, wanted)
    const intent = `${BODY_NAME}${toHex(random.bytes(16))}`
    catalog.intend(intent)
    try {
      const { object, ref } = await storage.put(digests.through(body), {
        name: intent,
        ttlMs: longestTtl(),
        ...(stored !== undefined && { class: stored }),
        ...(size !== undefined && { size }),
        ...(signal && { signal }),
        ...(onProgress && { onProgress }),
      })
      const part = { object, ref, size: digests.size, own: ownOf(object) }
      return { intent, part, etag: digests.etag, checksums: digests.checksums }
    } catch (error) {
      // Storage keeps nothing of a put that fails.
      this.#quietly(() => catalog.withdrawIntent(intent))
      throw digests.thrown === undefined ? error : digests.thrown.error
    }
  }

  /** What was stored is not to be named after all. */
  discard({ intent, part }: StoredBody): void {
    this.#quietly(() => this.#parts.catalog.discard(intent, part.object))
    this.collect()
  }

  /**
   * Verified bytes of a body, or of a range of it; parts are opened one after the other, the first at once. What is not
   * read is to be given back by `return()`.
   * @throws WeftError E_RANGE, and as `Storage.get`
   */
  async read(body: readonly BodyPart[], options: GetOptions): Promise<AsyncIterable<Uint8Array>> {
    const size = body.reduce((sum, part) => sum + part.size, 0)
    const range = options.range === undefined ? { offset: 0, length: size } : checkedRange(options.range, size)
    const pieces = piecesOf(body, range)
    const release = this.#hold(body)
    const unread = new AbortController()
    const signal = AbortSignal.any([unread.signal, ...(options.signal === undefined ? [] : [options.signal])])
    const reading = { ...options, signal }
    try {
      const first = pieces[0] === undefined ? undefined : await this.#open(pieces[0], reading, range.length, 0)
      return new UnreadBody(this.#readPieces(pieces, first, reading, range.length, release), () => {
        unread.abort()
        release()
      })
    } catch (error) {
      release()
      throw error
    }
  }

  /** After the catalog came from elsewhere: bodies of this machine that it does not name are garbage. */
  settle(): void {
    const own = this.#parts.storage.list().filter(({ name }) => name.startsWith(BODY_NAME))
    this.#parts.catalog.settleOrphans(own.map(({ object }) => object))
    this.collect()
  }

  /** Removes what nobody names, in the background. */
  collect(): void {
    this.#again = true
    this.#running ??= this.#collectAll().finally(() => (this.#running = undefined))
  }

  /** Resolves when nothing is under way in the background. */
  async settled(): Promise<void> {
    await this.#running
  }

  async *#readPieces(
    pieces: readonly Piece[],
    first: ObjectReader | undefined,
    options: GetOptions,
    total: number,
    release: () => void,
  ): AsyncGenerator<Uint8Array, void> {
    let before = 0
    try {
      for (const [at, piece] of pieces.entries()) {
        const reader = at === 0 && first !== undefined ? first : await this.#open(piece, options, total, before)
        yield* reader.body
        before += piece.range.length
      }
    } finally {
      release()
    }
  }

  async #open(piece: Piece, options: GetOptions, total: number, before: number): Promise<ObjectReader> {
    const { part, range } = piece
    const isWhole = range.length === part.size
    const { onProgress, range: _, ...rest } = options
    return this.#parts.storage.get(part.ref, {
      ...rest,
      ...(!isWhole && { range }),
      ...(onProgress && { onProgress: ({ bytes }) => onProgress({ bytes: before + bytes, total }) }),
    })
  }

  #hold(body: readonly BodyPart[]): () => void {
    for (const { object } of body) this.#readers.set(object, (this.#readers.get(object) ?? 0) + 1)
    let held = true
    return () => {
      if (!held) return
      held = false
      for (const { object } of body) {
        const left = (this.#readers.get(object) ?? 1) - 1
        if (left > 0) this.#readers.set(object, left)
        else this.#readers.delete(object)
      }
      this.collect()
    }
  }

  async #collectAll(): Promise<void> {
    const { signal, catalog, logger } = this.#parts
    try {
      while (this.#again && !signal.aborted) {
        this.#again = false
        const all = catalog.garbage(GARBAGE_BATCH + this.#readers.size + this.#stuck.size)
        const next = all.filter((object) => !this.#readers.has(object) && !this.#stuck.has(object))
        if (next.length > 0) this.#again = true
        await inWindow(next, REMOVED_AT_ONCE, signal, (object) => this.#remove(object))
      }
    } catch (error) {
      if (!signal.aborted) logger.warn('storage: removing what no bucket names stopped', { error: messageOf(error) })
    }
  }

  async #remove(object: string): Promise<void> {
    const { storage, catalog, signal, logger, clock } = this.#parts
    try {
      await storage.remove(object, { signal })
    } catch (error) {
      if (signal.aborted) return
      // It is gone already, or expired.
      if (!isWeftError(error, 'E_OBJECT_UNKNOWN')) {
        logger.warn('storage: an object that no bucket names could not be removed', { error: messageOf(error) })
        if (this.#stuck.size === 0) {
          this.#cancelRetry = clock.after(RETRY_MS, () => {
            this.#stuck.clear()
            this.collect()
          })
        }
        this.#stuck.add(object)
        return
      }
    }
    catalog.forgetGarbage(object)
  }

  /** What is left to do in the catalog is done at the next start if it fails now. */
  #quietly(task: () => void): void {
    try {
      task()
    } catch (error) {
      this.#parts.logger.warn('storage: the catalog could not be written', { error: messageOf(error) })
    }
  }
}

/** What of a part is read. */
interface Piece {
  readonly part: BodyPart
  readonly range: ByteRange
}

function piecesOf(body: readonly BodyPart[], { offset, length }: ByteRange): Piece[] {
  const pieces: Piece[] = []
  let start = 0
  for (const part of body) {
    const from = Math.max(0, offset - start)
    const to = Math.min(part.size, offset + length - start)
    if (from < to) pieces.push({ part, range: { offset: from, length: to - from } })
    start += part.size
  }
  return pieces
}
