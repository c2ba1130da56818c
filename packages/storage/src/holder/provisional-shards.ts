import { type Clock, type Logger, WeftError, messageOf, toHex } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { chargeOf } from '../blobs/blob-space.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { HolderLimits } from './holder-limits.ts'

/** What a peer put of an object. Bytes are as the quota counts them. */
interface Entry {
  readonly object: Uint8Array
  readonly peer: DidKey
  /** Streams that put some of the object and are still open. */
  streams: number
  /** Puts that are under way. */
  writing: number
  /** Bytes of shards that are stored and not committed. */
  stored: number
  /** Ends the grace that runs. */
  cancel: (() => void) | undefined
}

/** A shard that is being put, in the count. One of the two must be called; after the first, neither does anything. */
export interface PutPlace {
  /** The shard is stored: it counts until its object is committed or gone. */
  stored(): void
  /** Nothing is left of it. */
  failed(): void
}

/**
 * Objects that are put and not yet committed. Their shards go when the owner's streams are over without a commit, after
 * a short grace in which a broken stream may be followed by another; after a restart all of them are in that grace.
 * What the disk does not let go of (a full one cannot even note that) is tried again after another grace.
 */
export class ProvisionalShards implements Disposable {
  readonly #store: BlobStore
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #limits: HolderLimits
  readonly #entries = new Map<string, Entry>()
  readonly #perPeer = new Map<DidKey, { bytes: number; objects: number }>()
  #closed = false

  constructor(store: BlobStore, clock: Clock, logger: Logger, limits: HolderLimits) {
    this.#store = store
    this.#clock = clock
    this.#logger = logger
    this.#limits = limits
    for (const { object, peer, shards, bytes } of store.provisional()) {
      const entry = this.#entry(object, peer as DidKey)
      entry.stored = chargeOf(bytes, shards)
      this.#count(entry.peer, entry.stored)
      this.#rest(entry)
    }
  }

  /** A stream puts shards of an object. The returned function says that the stream is over. */
  open(object: Uint8Array, peer: DidKey): () => void {
    const entry = this.#entry(object, peer)
    entry.streams++
    this.#stopGrace(entry)
    return () => {
      entry.streams--
      this.#rest(entry)
    }
  }

  /**
   * Counts a shard that is being put.
   * @throws WeftError E_QUOTA, E_TOO_MANY_PUTS; then nothing is kept of it
   */
  reserve(object: Uint8Array, peer: DidKey, length: number): PutPlace {
    const { provisionalBytesPerPeer, provisionalObjectsPerPeer } = this.#limits
    const used = this.#perPeer.get(peer) ?? { bytes: 0, objects: 0 }
    const charge = chargeOf(length)
    if (used.bytes + charge > provisionalBytesPerPeer) throw tooManyBytes(used.bytes, charge, provisionalBytesPerPeer)
    if (used.objects >= provisionalObjectsPerPeer && !this.#entries.has(keyOf(object, peer))) {
      throw tooManyObjects(provisionalObjectsPerPeer, this.#limits.graceMs)
    }
    const entry = this.#entry(object, peer)
    entry.writing++
    this.#stopGrace(entry)
    this.#count(peer, charge)
    let over = false
    const end = (stored: boolean): void => {
      if (over) return
      over = true
      entry.writing--
      if (stored) entry.stored += charge
      else this.#count(peer, -charge)
      this.#rest(entry)
    }
    return { stored: () => end(true), failed: () => end(false) }
  }

  /** The shards that this peer stored of the object are no longer provisional: committed or gone. */
  settled(object: Uint8Array, peer: DidKey): void {
    const entry = this.#entries.get(keyOf(object, peer))
    if (entry !== undefined) this.#settle(entry)
  }

  /** The object is gone for all peers. */
  released(object: Uint8Array): void {
    const prefix = toHex(object)
    for (const [key, entry] of this.#entries) if (key.startsWith(prefix)) this.#settle(entry)
  }

  [Symbol.dispose](): void {
    this.#closed = true
    for (const entry of this.#entries.values()) this.#stopGrace(entry)
  }

  #entry(object: Uint8Array, peer: DidKey): Entry {
    const key = keyOf(object, peer)
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      entry = { object, peer, streams: 0, writing: 0, stored: 0, cancel: undefined }
      this.#entries.set(key, entry)
      this.#count(peer, 0, 1)
    }
    return entry
  }

  #settle(entry: Entry): void {
    this.#count(entry.peer, -entry.stored)
    entry.stored = 0
    this.#rest(entry)
  }

  /** Looks whether somebody still cares for the object: if not, its grace begins, or it is forgotten when it has no shards. */
  #rest(entry: Entry): void {
    if (entry.streams > 0 || entry.writing > 0 || this.#closed) return
    if (entry.stored > 0) {
      entry.cancel ??= this.#clock.after(this.#limits.graceMs, () => this.#drop(entry))
      return
    }
    this.#stopGrace(entry)
    this.#entries.delete(keyOf(entry.object, entry.peer))
    this.#count(entry.peer, 0, -1)
  }

  #drop(entry: Entry): void {
    entry.cancel = undefined
    const { stored } = entry
    this.#settle(entry)
    this.#store.drop(entry.object, entry.peer).catch((error: unknown) => {
      this.#logger.warn('shards of an abandoned put could not be removed', { error: messageOf(error) })
      this.#again(entry, stored)
    })
  }

  /** They are still there: counted as before, and tried again after another grace. */
  #again({ object, peer }: Entry, stored: number): void {
    if (this.#closed) return
    const entry = this.#entry(object, peer)
    entry.stored += stored
    this.#count(peer, stored)
    this.#rest(entry)
  }

  #stopGrace(entry: Entry): void {
    entry.cancel?.()
    entry.cancel = undefined
  }

  #count(peer: DidKey, bytes: number, objects = 0): void {
    const used = this.#perPeer.get(peer) ?? { bytes: 0, objects: 0 }
    used.bytes += bytes
    used.objects += objects
    if (used.objects === 0) this.#perPeer.delete(peer)
    else this.#perPeer.set(peer, used)
  }
}

function tooManyBytes(used: number, charge: number, most: number): WeftError {
  return new WeftError({
    code: 'E_QUOTA',
    cause: `One peer may have ${most} bytes here that are not committed; ${used} are, and ${charge} more are asked for.`,
    fix: 'Commit or release what was put before, then go on.',
    retryable: true,
  })
}

function tooManyObjects(most: number, graceMs: number): WeftError {
  return new WeftError({
    code: 'E_TOO_MANY_PUTS',
    cause: `One peer may have ${most} objects here that are not committed, and this one has.`,
    fix: `Commit or release what was put before, or end its streams and wait ${graceMs / 1000} s, then go on.`,
    retryable: true,
  })
}

function keyOf(object: Uint8Array, peer: DidKey): string {
  return `${toHex(object)}/${peer}`
}
