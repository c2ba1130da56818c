import { type Clock, type Logger, WeftError, messageOf, toHex } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { HolderLimits } from './holder-limits.ts'

interface Entry {
  readonly object: Uint8Array
  readonly peer: DidKey
  /** Streams that put some of the object and are still open. */
  streams: number
  bytes: number
  cancel: (() => void) | undefined
}

/**
 * Objects that are put and not yet committed. Their shards go when the owner's streams are over without a commit, after
 * a short grace in which a broken stream may be followed by another; after a restart all of them are in that grace.
 */
export class ProvisionalShards implements Disposable {
  readonly #store: BlobStore
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #limits: HolderLimits
  readonly #entries = new Map<string, Entry>()
  readonly #perPeer = new Map<DidKey, number>()

  constructor(store: BlobStore, clock: Clock, logger: Logger, limits: HolderLimits) {
    this.#store = store
    this.#clock = clock
    this.#logger = logger
    this.#limits = limits
    for (const { object, peer, bytes } of store.provisional()) {
      const entry = this.#entry(object, peer as DidKey)
      this.#count(entry, bytes)
      this.#startGrace(entry)
    }
  }

  /** A stream begins to put shards of an object. The returned function says that the stream is over. */
  open(object: Uint8Array, peer: DidKey): () => void {
    const entry = this.#entry(object, peer)
    entry.streams++
    entry.cancel?.()
    entry.cancel = undefined
    return () => {
      entry.streams--
      if (entry.streams === 0 && this.#entries.get(keyOf(object, peer)) === entry) this.#startGrace(entry)
    }
  }

  /** Counts a shard that is being put. The returned function takes it back. @throws WeftError E_QUOTA */
  reserve(object: Uint8Array, peer: DidKey, length: number): () => void {
    const used = this.#perPeer.get(peer) ?? 0
    const most = this.#limits.provisionalBytesPerPeer
    if (used + length > most) {
      throw new WeftError({
        code: 'E_QUOTA',
        cause: `One peer may have ${most} bytes here that are not committed; ${used} are, and ${length} more are asked for.`,
        fix: 'Commit or release what was put before, then go on.',
        retryable: true,
      })
    }
    const entry = this.#entry(object, peer)
    this.#count(entry, length)
    return () => this.#count(entry, -length)
  }

  /** The object's shards of this peer are no longer provisional: committed or gone. */
  settled(object: Uint8Array, peer: DidKey): void {
    const key = keyOf(object, peer)
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.cancel?.()
    this.#count(entry, -entry.bytes)
    if (entry.streams === 0) this.#entries.delete(key)
  }

  /** The object is gone for all peers. */
  released(object: Uint8Array): void {
    const prefix = toHex(object)
    for (const [key, entry] of this.#entries) if (key.startsWith(prefix)) this.settled(object, entry.peer)
  }

  [Symbol.dispose](): void {
    for (const entry of this.#entries.values()) entry.cancel?.()
    this.#entries.clear()
  }

  #entry(object: Uint8Array, peer: DidKey): Entry {
    const key = keyOf(object, peer)
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      entry = { object, peer, streams: 0, bytes: 0, cancel: undefined }
      this.#entries.set(key, entry)
    }
    return entry
  }

  #count(entry: Entry, bytes: number): void {
    // A put that fails after its object was committed or released has been taken off already.
    const change = Math.max(-entry.bytes, bytes)
    entry.bytes += change
    const peer = (this.#perPeer.get(entry.peer) ?? 0) + change
    if (peer === 0) this.#perPeer.delete(entry.peer)
    else this.#perPeer.set(entry.peer, peer)
  }

  #startGrace(entry: Entry): void {
    entry.cancel = this.#clock.after(this.#limits.graceMs, () => {
      this.settled(entry.object, entry.peer)
      this.#store.drop(entry.object, entry.peer).catch((error: unknown) => {
        this.#logger.warn('shards of an abandoned put could not be removed', { error: messageOf(error) })
      })
    })
  }
}

function keyOf(object: Uint8Array, peer: DidKey): string {
  return `${toHex(object)}/${peer}`
}
