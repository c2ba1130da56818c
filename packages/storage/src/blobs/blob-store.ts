import { type Clock, Emitter, type Fault, type Logger, WeftError, isWeftError, messageOf, wait } from '@weft/core'
import { type ShardName, describeShard } from '../holder/shard-name.ts'
import { alreadyHeld, corrupt, diskError, notFound } from './blob-error.ts'
import { type BlobEntry, type BlobIndex, mayReplace } from './blob-index.ts'
import type { BlobNote } from './blob-note.ts'
import type { BlobNotes } from './blob-notes.ts'
import { BlobSpace } from './blob-space.ts'
import { type BlobStoreOptions, type BlobStoreParts, openParts } from './open-parts.ts'
import type { BlobSink } from './blob-writer.ts'
import type { DiskReserve } from './disk-reserve.ts'
import { SCRUB_LIMITS, Scrubber } from './scrubber.ts'
import type { SegmentLogs } from './segment-log.ts'
import { StoredBytes } from './stored-bytes.ts'
import type { Deletion } from '../holder/deletion-statement.ts'

/** ms between looks for expired objects and sparse logs. */
const SWEEP = 30_000
const SWEEP_BATCH = 64

/** A shard whose bytes are not on the disk as they were put. */
export type DamagedShard = Pick<BlobEntry, 'name' | 'length' | 'peer' | 'committed'>

export interface BlobStoreEvents {
  /** Damage was found: the shard is not served from now on, and may be put anew. */
  damaged: DamagedShard
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
 * acknowledged survives a kill and a power cut; what they did not leaves nothing behind. What is found damaged stays in
 * the index, is not served, and goes when it is put anew or its room is needed.
 */
export class BlobStore {
  readonly #index: BlobIndex
  readonly #logs: SegmentLogs
  readonly #bytes: StoredBytes
  readonly #notes: BlobNotes
  readonly #reserve: DiskReserve
  readonly #space: BlobSpace
  readonly #scrubber: Scrubber
  readonly #isMember: (peer: string) => boolean
  readonly #clock: Clock
  readonly #networkTime: () => number | undefined
  #sweeping: Promise<void> = Promise.resolve()
  readonly #logger: Logger
  readonly #events = new Emitter<BlobStoreEvents>()
  /** Shards being written, so that two streams do not write the same one. */
  readonly #writing = new Set<string>()

  /** Opens the directory and puts index and files in agreement. @throws WeftError E_DISK, E_DISK_FULL, E_DATABASE */
  static async open(options: BlobStoreOptions): Promise<BlobStore> {
    try {
      const store = new BlobStore(options, await openParts(options))
      await store.#reserve.fill()
      options.scope.spawn('shard sweep', (signal) => store.#sweepLoop(signal))
      options.scope.spawn('shard scrubber', (signal) => store.#scrubber.run(signal))
      return store
    } catch (error) {
      throw diskError(error, `opening ${options.directory}`)
    }
  }

  private constructor(options: BlobStoreOptions, parts: BlobStoreParts) {
    const { clock, logger } = options
    const { index, files, logs, sequence, notes, reserve, held } = parts
    this.#index = index
    this.#logs = logs
    const isKnown = (name: ShardName): boolean => index.get(name) !== undefined
    this.#bytes = new StoredBytes({ files, logs, sequence, logger, isKnown })
    this.#notes = notes
    this.#reserve = reserve
    this.#space = new BlobSpace(options.directory, options, held, () => reserve.missing)
    const check = (entry: BlobEntry): Promise<boolean> => this.#isWhole(entry)
    this.#scrubber = new Scrubber({ index, check, clock, logger, limits: options.scrub ?? SCRUB_LIMITS })
    this.#isMember = options.isMember
    this.#clock = clock
    this.#networkTime = options.networkTime ?? (() => clock.now())
    this.#logger = logger
  }

  get held(): { readonly shards: number; readonly bytes: number } {
    return this.#space.held
  }

  /** Why nothing more can be taken (E_QUOTA, E_DISK_FULL); looked at with each put and every 30 s. */
  fault(): Fault | undefined {
    return this.#space.fault()
  }

  /** How its shards fare: how many are damaged, what was read to find that out since the start, and when all were read last. */
  get health(): { readonly damaged: number; readonly scrubbedBytes: number; readonly scrubbedAt: number | undefined } {
    const scrubbedAt = this.#index.scrubRound()?.finishedAt
    return { damaged: this.#index.corruptCount(), scrubbedBytes: this.#scrubber.bytes, scrubbedAt }
  }

  on<K extends keyof BlobStoreEvents>(name: K, listener: (event: BlobStoreEvents[K]) => void): () => void {
    return this.#events.on(name, listener)
  }

  /** Damaged shards that are to be put anew, in the order of their names, at most `limit`. */
  damaged(after: ShardName | undefined, limit: number): readonly DamagedShard[] {
    return this.#index.corruptPage(after, limit)
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
      giveBack = await this.#reserveSpace(length, peer)
    } catch (error) {
      this.#writing.delete(key)
      throw error
    }
    const end = (): void => {
      giveBack()
      this.#writing.delete(key)
    }
    const sink = this.#bytes.sink(name, length, peer)
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
    return { length: entry.length, bytes: this.#read(entry) }
  }

  /** The shards of an object's segments [first, first + count), at most `limit`. */
  list(object: Uint8Array, first: number, count: number, limit: number): readonly BlobEntry[] {
    return this.#index.list(object, first, count, limit)
  }

  /** Committed shards that are whole, by name, after `after`. @param until ms since the epoch: kept beyond it */
  committed(after: ShardName | undefined, limit: number, until: number): ReturnType<BlobIndex['committed']> {
    return this.#index.committed(after, limit, until)
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
    await this.#notes.add({ kind: 'commit', object, peer, expiresAt })
  }

  /** Removes all shards of an object, durably. */
  async release(object: Uint8Array): Promise<void> {
    const gone = await this.#reserve.use(() => this.#index.release(object))
    await this.#letGo(gone, { kind: 'gone', object })
  }

  /**
   * Removes an object as its owner wants it, durably, and refuses it from then on. What it had in a log is overwritten
   * before this resolves. @param until ms since the epoch: refused until then, or for as long as it would have been kept.
   */
  async remove(object: Uint8Array, peer: string, until: number): Promise<Deletion> {
    const isMember = this.#isMember(peer)
    const now = this.#clock.now()
    const removal = { object, peer, isMember, now, until }
    const { deletion, account, gone } = await this.#reserve.use(() => this.#index.remove(removal))
    // Without a tombstone nothing is refused later, but what was here is gone all the same.
    const note = deletion.until > 0 ? ({ kind: 'removed', object, account, deletion } as const) : undefined
    await this.#reserve.use(() => this.#notes.add(note ?? { kind: 'gone', object }))
    for (const entry of gone) await this.#bytes.erase(entry)
    await this.#discard(gone)
    return deletion
  }

  /** Removes the provisional shards that `peer` put of an object. */
  async drop(object: Uint8Array, peer: string): Promise<void> {
    const gone = await this.#reserve.use(() => this.#index.drop(object, peer))
    await this.#letGo(gone, { kind: 'drop', object, peer })
  }

  /** Removes what expired and moves what is left in sparse logs; one after the other. */
  sweep(): Promise<void> {
    // What the one before has begun to remove is gone, too, once this one is over.
    const sweeping = this.#sweeping.then(() => this.#sweepOnce())
    this.#sweeping = sweeping.catch(() => {})
    return sweeping
  }

  async #sweepOnce(): Promise<void> {
    await this.#expire()
    if (this.#notes.isLong) await this.#notes.compact((object) => this.#index.knows(object))
    for (const log of await this.#logs.sparse()) await this.#compact(log)
  }

  /** Reads every shard against its checksums, without pauses; damaged ones are marked. Resolves with how many were found damaged. */
  scrub(signal: AbortSignal): Promise<number> {
    return this.#scrubber.all(signal)
  }

  /** A clock that jumps ahead ends nothing: what is removed too early is lost, what is removed late takes room for a while. */
  #agreedTime(): number {
    return Math.min(this.#clock.now(), this.#networkTime() ?? 0)
  }

  async #expire(): Promise<void> {
    while ((await this.#index.sweepRemoved(this.#agreedTime(), SWEEP_BATCH)) === SWEEP_BATCH);
    for (;;) {
      const over = this.#index.expired(this.#agreedTime(), SWEEP_BATCH)
      for (const object of over) await this.release(object)
      if (over.length < SWEEP_BATCH) break
    }
  }

  async #finish(sink: BlobSink, name: ShardName, length: number, peer: string): Promise<void> {
    const { place, checksums } = await sink.finish()
    const entry = { name, length, place, checksums, committed: false, peer, corrupt: false }
    let replaced: readonly BlobEntry[]
    try {
      replaced = await this.#index.add(entry)
    } catch (error) {
      await this.#bytes.refuse(entry)
      throw error
    }
    this.#space.add(peer, length)
    await this.#discard(replaced)
  }

  /** Damaged shards give way where there is no room otherwise. */
  async #reserveSpace(length: number, peer: string): Promise<() => void> {
    for (;;) {
      try {
        return await this.#space.reserve(length, peer)
      } catch (error) {
        if (!isWeftError(error, 'E_QUOTA') && !isWeftError(error, 'E_DISK_FULL')) throw error
        const gone = await this.#reserve.use(() => this.#index.forgetCorrupt(SWEEP_BATCH))
        if (gone.length === 0) throw error
        await this.#discard(gone)
      }
    }
  }

  async *#read(entry: BlobEntry): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#bytes.read(entry)
    } catch (error) {
      if (isWeftError(error, 'E_SHARD_CORRUPT')) await this.#quarantine(entry)
      throw error
    }
  }

  async #quarantine(entry: BlobEntry): Promise<void> {
    const isNew = await this.#reserve.use(() => this.#index.markCorrupt(entry))
    if (!isNew) return
    this.#logger.error('a shard is damaged on the disk', { shard: describeShard(entry.name) })
    this.#events.emit('damaged', entry)
  }

  async #isWhole(entry: BlobEntry): Promise<boolean> {
    try {
      for await (const _ of this.#read(entry));
      return true
    } catch (error) {
      if (isWeftError(error, 'E_SHARD_CORRUPT')) return false
      if (isWeftError(error, 'E_SHARD_NOT_FOUND')) return true
      this.#logger.warn('a shard could not be checked', { shard: describeShard(entry.name), error: messageOf(error) })
      return true
    }
  }

  /** Notes what became of shards that the index has forgotten, and lets go of their bytes, noted or not. */
  async #letGo(gone: readonly BlobEntry[], note: BlobNote): Promise<void> {
    try {
      if (gone.length > 0) await this.#reserve.use(() => this.#notes.add(note))
    } finally {
      await this.#discard(gone)
    }
  }

  /** Lets go of the bytes of shards that the index has forgotten. */
  async #discard(gone: readonly BlobEntry[]): Promise<void> {
    for (const { peer, length } of gone) this.#space.remove(peer, length)
    for (const entry of gone) await this.#bytes.remove(entry)
  }

  async #compact(log: number): Promise<void> {
    for (const entry of this.#index.inLog(log)) {
      if (!('log' in entry.place) || entry.corrupt) continue
      try {
        const place = await this.#bytes.copy(entry, entry.place)
        const moved = await this.#index.move(entry.name, entry.place, place)
        // Not moved: it is gone, and perhaps its owner removed it.
        if (!moved) await this.#bytes.erase({ place, length: entry.length })
        await this.#bytes.remove(moved ? entry : { ...entry, place })
      } catch (error) {
        if (isWeftError(error, 'E_SHARD_CORRUPT')) await this.#quarantine(entry)
        else if (!isWeftError(error, 'E_SHARD_NOT_FOUND')) throw error
      }
    }
  }

  async #sweepLoop(signal: AbortSignal): Promise<void> {
    for (;;) {
      await wait(this.#clock, SWEEP, signal)
      try {
        await this.#reserve.fill()
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
