import { join } from 'node:path'
import {
  type Clock,
  type Fault,
  type Logger,
  type Scope,
  WeftError,
  isWeftError,
  messageOf,
  wait,
  ensureDirectory,
} from '@weft/core'
import { type ShardName, describeShard } from '../holder/shard-name.ts'
import { alreadyHeld, corrupt, diskError, notFound } from './blob-error.ts'
import { BlobFiles } from './blob-files.ts'
import { type BlobEntry, BlobIndex, type BlobPlace, mayReplace } from './blob-index.ts'
import { readBlob } from './blob-reader.ts'
import { BlobSpace, type SpaceLimits } from './blob-space.ts'
import { type BlobSink, LARGE_BLOB, LargeBlobSink, SmallBlobSink } from './blob-writer.ts'
import { SegmentLogs } from './segment-log.ts'
import type { TombstoneLimits } from './tombstones.ts'
import type { Deletion } from '../holder/deletion-statement.ts'

/** ms between looks for expired objects and sparse logs. */
const SWEEP = 30_000
const SWEEP_BATCH = 64
/** Shards that are read for compaction at a time. */
const PAGE = 256

export interface BlobStoreOptions extends SpaceLimits {
  readonly directory: string
  readonly clock: Clock
  readonly logger: Logger
  readonly scope: Scope
  /** How many removed objects it remembers. */
  readonly tombstones?: TombstoneLimits
  /**
   * ms since the epoch that others vouch for, which may be late; undefined while nobody does. Nothing expires that is not over
   * by this as well as by the clock. Left out: the clock is believed.
   */
  readonly networkTime?: () => number | undefined
}

/** A shard being written. One of `finish` and `discard` must be called. */
export interface BlobPut {
  /** In order, `length` bytes in all. @throws WeftError E_DISK_FULL, E_DISK */
  write(chunk: Uint8Array): Promise<void>
  /** Resolves when bytes and index are on disk: the shard is then stored, provisionally. @throws WeftError E_SHARD_EXISTS, E_DISK_FULL, E_DISK, E_DATABASE */
  finish(): Promise<void>
  /** Leaves nothing behind. */
  discard(): Promise<void>
}

/**
 * The shards that this node holds for others: provisional when put, committed until an expiry by their owner's word,
 * then gone. Small ones lie in segment logs, large ones in files, the index in SQLite. What `finish` and `commit`
 * acknowledged survives a kill and a power cut; what they did not leaves nothing behind.
 */
export class BlobStore {
  readonly #index: BlobIndex
  readonly #files: BlobFiles
  readonly #logs: SegmentLogs
  readonly #space: BlobSpace
  readonly #isMember: (peer: string) => boolean
  readonly #clock: Clock
  readonly #networkTime: () => number | undefined
  readonly #logger: Logger
  /** Shards being written, so that two streams do not write the same one. */
  readonly #writing = new Set<string>()

  /** Opens the directory and puts index and files in agreement. @throws WeftError E_DISK, E_DISK_FULL, E_DATABASE */
  static async open(options: BlobStoreOptions): Promise<BlobStore> {
    const { directory, scope } = options
    try {
      ensureDirectory(directory)
      const index = scope.use('shard index', await BlobIndex.open(directory, options.tombstones))
      const files = scope.use('shard files', await BlobFiles.open(join(directory, 'large')))
      const lost = await files.reconcile(new Set(index.files()))
      if (lost.length > 0) {
        options.logger.error('shards are gone from the disk', { shards: lost.length })
        await index.forgetFiles(lost)
      }
      const logs = scope.use('shard logs', await SegmentLogs.open(join(directory, 'logs'), index.logs()))
      const store = new BlobStore(options, index, files, logs)
      scope.spawn('shard sweep', (signal) => store.#sweepLoop(signal))
      return store
    } catch (error) {
      throw diskError(error, `opening ${directory}`)
    }
  }

  private constructor(options: BlobStoreOptions, index: BlobIndex, files: BlobFiles, logs: SegmentLogs) {
    this.#index = index
    this.#files = files
    this.#logs = logs
    this.#space = new BlobSpace(options.directory, options, index.held())
    this.#isMember = options.isMember
    this.#clock = options.clock
    this.#networkTime = options.networkTime ?? (() => options.clock.now())
    this.#logger = options.logger
  }

  get held(): { readonly shards: number; readonly bytes: number } {
    return this.#space.held
  }

  /** Why nothing more can be taken (E_QUOTA, E_DISK_FULL); looked at with each put and every 30 s. */
  fault(): Fault | undefined {
    return this.#space.fault()
  }

  /** Bytes of the disk that are left for shards; negative when the reserve is touched. */
  free(): Promise<number> {
    return this.#space.free()
  }

  /**
   * Begins to store a shard of `length` bytes that `peer` puts.
   * @throws WeftError E_QUOTA, E_DISK_FULL, E_SHARD_EXISTS, E_OBJECT_REMOVED; then nothing was written
   */
  async begin(name: ShardName, length: number, peer: string): Promise<BlobPut> {
    const key = keyOf(name)
    this.#index.refuseRemoved(name.object)
    const before = this.#index.get(name)
    if (this.#writing.has(key) || (before !== undefined && !mayReplace(before, peer))) throw alreadyHeld(name)
    this.#writing.add(key)
    let giveBack: () => void
    try {
      giveBack = await this.#space.reserve(length, peer)
    } catch (error) {
      this.#writing.delete(key)
      throw error
    }
    const end = (): void => {
      giveBack()
      this.#writing.delete(key)
    }
    const sink: BlobSink = length < LARGE_BLOB ? new SmallBlobSink(this.#logs) : new LargeBlobSink(this.#files, length)
    return {
      write: (chunk) => sink.write(chunk),
      finish: () => this.#finish(sink, name, length, peer).finally(end),
      discard: () => sink.discard().finally(end),
    }
  }

  /**
   * Opens a shard for reading: its length, and its bytes in pieces that were checked.
   * @throws WeftError E_SHARD_NOT_FOUND, E_SHARD_CORRUPT (known to be so); the bytes throw E_SHARD_CORRUPT when found so
   */
  read(name: ShardName): { readonly length: number; readonly bytes: AsyncIterable<Uint8Array> } {
    const entry = this.#index.get(name)
    if (entry === undefined) throw notFound(name)
    if (entry.corrupt) throw corrupt(name)
    return { length: entry.length, bytes: this.#readEntry(entry) }
  }

  /** The shards of an object's segments [first, first + count), at most `limit`. */
  list(object: Uint8Array, first: number, count: number, limit: number): readonly BlobEntry[] {
    return this.#index.list(object, first, count, limit)
  }

  /** Objects with provisional shards, by whoever put them. */
  provisional(): ReturnType<BlobIndex['provisional']> {
    return this.#index.provisional()
  }

  /**
   * Commits what `peer` put of an object, durably.
   * @throws WeftError E_SHARD_NOT_FOUND when nothing is here to commit, E_QUOTA when the peer has more than may stay, E_OBJECT_REMOVED
   */
  async commit(object: Uint8Array, peer: string, expiresAt: number): Promise<void> {
    this.#space.checkCommit(peer)
    if ((await this.#index.commit(object, peer, expiresAt)) === 0) throw notFound({ object, segment: 0, index: 0 })
  }

  /** Removes all shards of an object, durably. */
  async release(object: Uint8Array): Promise<void> {
    await this.#discard(await this.#index.release(object))
  }

  /**
   * Removes an object as its owner wants it, durably, and refuses it from then on. What it had in a log is overwritten
   * before this resolves. @param until ms since the epoch: refused until then, or for as long as it would have been kept.
   */
  async remove(object: Uint8Array, peer: string, until: number): Promise<Deletion> {
    const isMember = this.#isMember(peer)
    const now = this.#clock.now()
    const { deletion, gone } = await this.#index.remove({ object, peer, isMember, now, until })
    for (const { place, length } of gone) await this.#erase(place, length)
    await this.#discard(gone)
    return deletion
  }

  /** Removes the provisional shards that `peer` put of an object. */
  async drop(object: Uint8Array, peer: string): Promise<void> {
    await this.#discard(await this.#index.drop(object, peer))
  }

  /** Removes what expired and moves what is left in sparse logs. */
  async sweep(): Promise<void> {
    await this.#expire()
    for (const log of await this.#logs.sparse()) await this.#compact(log)
  }

  /** Reads every shard against its checksums; damaged ones are marked. Resolves with how many were found damaged. */
  async scrub(signal: AbortSignal): Promise<number> {
    let damaged = 0
    let after: ShardName | undefined
    for (;;) {
      const page = this.#index.page(after, PAGE)
      for (const entry of page) {
        if (signal.aborted) return damaged
        if (!entry.corrupt && !(await this.#isWhole(entry))) damaged++
      }
      if (page.length < PAGE) return damaged
      after = page.at(-1)?.name
    }
  }

  /** A clock that jumps ahead ends nothing: what is removed too early is lost, what is removed late takes room for a while. */
  async #expire(): Promise<void> {
    const now = Math.min(this.#clock.now(), this.#networkTime() ?? 0)
    while ((await this.#index.sweepRemoved(now, SWEEP_BATCH)) === SWEEP_BATCH);
    for (;;) {
      const over = this.#index.expired(now, SWEEP_BATCH)
      for (const object of over) await this.release(object)
      if (over.length < SWEEP_BATCH) break
    }
  }

  async #finish(sink: BlobSink, name: ShardName, length: number, peer: string): Promise<void> {
    const { place, checksums } = await sink.finish()
    let replaced: readonly BlobEntry[]
    try {
      replaced = await this.#index.add({ name, length, place, checksums, committed: false, peer, corrupt: false })
    } catch (error) {
      await this.#removePlace(place, length)
      throw error
    }
    this.#space.add(peer, length)
    await this.#discard(replaced)
  }

  async *#readEntry(entry: BlobEntry): AsyncGenerator<Uint8Array> {
    try {
      if ('log' in entry.place) {
        const file = this.#logs.handle(entry.place.log)
        if (file === undefined) throw this.#gone(entry.name)
        yield* readBlob(entry, file, entry.place.offset)
      } else {
        const file = await this.#openFile(entry, entry.place.file)
        try {
          yield* readBlob(entry, file, 0)
        } finally {
          await file.close()
        }
      }
    } catch (error) {
      if (isWeftError(error, 'E_SHARD_CORRUPT')) {
        // Overwritten while it was read: removed by its owner.
        if (this.#index.get(entry.name) === undefined) throw notFound(entry.name)
        this.#logger.error('a shard is damaged on the disk', { shard: describeShard(entry.name) })
        await this.#index.markCorrupt(entry.name)
      }
      throw error
    }
  }

  async #openFile(entry: BlobEntry, file: number): Promise<Awaited<ReturnType<BlobFiles['open']>>> {
    try {
      return await this.#files.open(file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw diskError(error, 'opening a shard')
      throw this.#gone(entry.name)
    }
  }

  /** Why bytes are not where the index said: released in this moment, or removed behind our back. */
  #gone(name: ShardName): WeftError {
    return this.#index.get(name) === undefined ? notFound(name) : corrupt(name)
  }

  async #isWhole(entry: BlobEntry): Promise<boolean> {
    try {
      for await (const _ of this.#readEntry(entry));
      return true
    } catch (error) {
      if (isWeftError(error, 'E_SHARD_CORRUPT')) return false
      this.#logger.warn('a shard could not be checked', { shard: describeShard(entry.name), error: messageOf(error) })
      return true
    }
  }

  /** Lets go of the bytes of shards that the index has forgotten. */
  async #discard(gone: readonly BlobEntry[]): Promise<void> {
    for (const { peer, length } of gone) this.#space.remove(peer, length)
    for (const { place, length } of gone) await this.#removePlace(place, length)
  }

  /** A file goes as a whole. */
  async #erase(place: BlobPlace, length: number): Promise<void> {
    if ('file' in place) return
    try {
      await this.#logs.erase(place.log, place.offset, length)
    } catch (error) {
      this.#logger.warn('bytes of a removed shard could not be overwritten', { error: messageOf(error) })
    }
  }

  async #removePlace(place: BlobPlace, length: number): Promise<void> {
    try {
      if ('file' in place) await this.#files.remove(place.file)
      else await this.#logs.forget(place.log, length)
    } catch (error) {
      // The index does not know the bytes any more: the next start removes them.
      this.#logger.warn('bytes of a removed shard are still on the disk', { error: messageOf(error) })
    }
  }

  async #compact(log: number): Promise<void> {
    for (const entry of this.#index.inLog(log)) {
      const sink = new SmallBlobSink(this.#logs)
      try {
        for await (const piece of this.#readEntry(entry)) await sink.write(piece)
      } catch (error) {
        if (!isWeftError(error, 'E_SHARD_CORRUPT') && !isWeftError(error, 'E_SHARD_NOT_FOUND')) throw error
        continue
      }
      const { place } = await sink.finish()
      const moved = await this.#index.move(entry.name, entry.place, place)
      // Not moved: it is gone, and perhaps its owner removed it.
      if (!moved) await this.#erase(place, entry.length)
      await this.#removePlace(moved ? entry.place : place, entry.length)
    }
  }

  async #sweepLoop(signal: AbortSignal): Promise<void> {
    for (;;) {
      await wait(this.#clock, SWEEP, signal)
      try {
        await this.#space.free()
        await this.sweep()
      } catch (error) {
        if (!(error instanceof WeftError)) throw error
        this.#logger.warn('expired shards could not be removed', { code: error.code, cause: error.cause })
      }
    }
  }
}

function keyOf({ object, segment, index }: ShardName): string {
  return `${object.toHex()}/${segment}/${index}`
}
