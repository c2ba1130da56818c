import type { Fault } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { RecordStore, Streams } from '@weft/overlay'
import type { Audits } from './audit/audits.ts'

/** k of n shards restore a segment. */
export interface StorageClass {
  readonly name: 'tiny' | 'small' | 'medium' | 'standard' | 'vault'
  readonly k: number
  readonly n: number
}

export type ShardState = 'stored' | 'unreachable' | 'missing' | 'corrupt'

export interface ShardStatus {
  readonly index: number
  readonly node: DidKey
  readonly state: ShardState
}

export interface SegmentStatus {
  readonly index: number
  /** Shards that are `stored`. */
  readonly alive: number
  readonly shards: readonly ShardStatus[]
}

export interface ObjectStatus {
  readonly ref: string
  readonly object: string
  readonly size: number
  readonly class: StorageClass
  /** Segments of the whole object; 0 for one that is small enough to lie in its record. */
  readonly segmentCount: number
  /** Those that were looked at, in order. */
  readonly segments: readonly SegmentStatus[]
  /** The first segment behind them; undefined when there is none. */
  readonly next: number | undefined
  /** Nodes that an object without segments was found at, whole in its record; more may have it. Undefined for others. */
  readonly copies: number | undefined
  /** Of the segments that were looked at. */
  readonly health: 'healthy' | 'degraded' | 'lost'
  /** Set unless healthy, and when a read had no quorum. */
  readonly fault: Fault | undefined
  /** Placement rules that a small network could not keep, in words; empty when all hold. */
  readonly relaxed: readonly string[]
  readonly expiresAt: number
}

export interface StoredObject {
  /** Full reference with the key. */
  readonly ref: string
  readonly object: string
  readonly name: string
  readonly size: number
  readonly class: string
  readonly createdAt: number
  readonly expiresAt: number
  /** It was put over routes, and is read and looked at over routes by this node, whatever is asked for. */
  readonly private: boolean
}

/** What a put gives: the object, and what whoever put it should know, though it is safe. */
export interface PutResult extends StoredObject {
  /** E_HOLDER_REPLACED when holders fell out. */
  readonly warnings: readonly Fault[]
}

/** Calls members without showing who or where this node is: made for one transfer, ends with it. */
export interface PrivateCaller extends AsyncDisposable {
  /** The key that members see; no other transfer has it. */
  readonly self: DidKey
  readonly records: RecordStore
  readonly streams: Pick<Streams, 'open'>
}

/** How a node gets such callers, where it has routes. @throws WeftError why there is no route */
export type OpenPrivate = (signal: AbortSignal) => Promise<PrivateCaller>

export interface TransferProgress {
  readonly bytes: number
  /** Undefined when the source does not tell its length. */
  readonly total: number | undefined
}

export interface PutOptions {
  readonly name?: string
  readonly class?: StorageClass['name']
  /** ms from now; default 30 days, at most 365, from a node outside of the map 31. */
  readonly ttlMs?: number
  /** Bytes, where known. */
  readonly size?: number
  /** Nobody who keeps a part of it learns this node's address. @see OpenPrivate */
  readonly private?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: TransferProgress) => void
}

/** Part of a body: of `length` bytes, one at least, from `offset` on. */
export interface ByteRange {
  readonly offset: number
  readonly length: number
}

export interface GetOptions {
  /** The body is this part alone, cut off where the object ends; only the segments that it lies in are fetched. */
  readonly range?: ByteRange
  /** Nobody who is asked for a part of it learns this node's address; so it is anyway with what this node put privately. */
  readonly private?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: TransferProgress) => void
}

export interface StatOptions {
  /** The first segment looked at; default 0. */
  readonly first?: number
  /** As of a get. */
  readonly private?: boolean
  readonly signal?: AbortSignal
}

export interface RemoveOptions {
  readonly signal?: AbortSignal
}

/** What repair did. */
export interface RepairCounts {
  /** An object is being looked at and repaired now. */
  readonly running: boolean
  /** Shards that were made again and are kept by others. */
  readonly restored: number
  /** Bytes of them. */
  readonly bytes: number
  /** Looks at an object that left a lost shard with nobody, or failed. */
  readonly failed: number
}

export interface RenewOptions {
  readonly signal?: AbortSignal
}

export interface HolderRenewal {
  readonly node: DidKey
  /** `waiting`: it is asked again. `lost`: it has no shard any more, or said nothing before they expired. */
  readonly state: 'renewed' | 'waiting' | 'lost'
  /** Why it did not renew, since this node was started. */
  readonly fault: Fault | undefined
}

/** The renewal of an object that this node put. */
export interface ObjectRenewal {
  readonly object: string
  readonly name: string
  /** ms since the epoch: until then it is kept now, as in the list. */
  readonly expiresAt: number
  /** ms since the epoch: until then it is to be kept. */
  readonly until: number
  /**
   * `open`: records or holders are still asked. `partial`: it is kept, but not by some holders, which are lost.
   * `failed`: the records could not be renewed before they expired.
   */
  readonly state: 'open' | 'done' | 'partial' | 'failed'
  /** Records that were written anew, and how many there are; undefined before that is known. */
  readonly records: { readonly renewed: number; readonly total: number | undefined }
  /** Why records are not renewed. */
  readonly fault: Fault | undefined
  /** Those known so far; empty for an object without shards. */
  readonly holders: readonly HolderRenewal[]
}

export interface ObjectReader {
  /** Of the whole object. */
  readonly size: number
  /** Verified plaintext in order; at most a few segments ahead of the reader. @throws WeftError E_SHARDS_MISSING and kin */
  readonly body: AsyncIterable<Uint8Array>
}

/** What a holder signed when it deleted its shards of an object (docs/specs/shards.md, Removed). */
export interface DeletionReceipt {
  /** Shards that it deleted, and their bytes; 0 when it had none. */
  readonly shards: number
  readonly bytes: number
  /** ms since the epoch, by its own clock. */
  readonly at: number
  /** ms since the epoch: until then it refuses the object; 0 when it does not. */
  readonly until: number
  /** base64url. */
  readonly signature: string
}

export interface HolderRemoval {
  readonly node: DidKey
  /** `waiting`: it is asked again. `silent`: it said nothing before its shards expired. */
  readonly state: 'deleted' | 'waiting' | 'silent'
  readonly receipt: DeletionReceipt | undefined
  /** Why there is no receipt yet, since this node was started. */
  readonly fault: Fault | undefined
}

/** The removal of an object that this node put. */
export interface ObjectRemoval {
  readonly object: string
  readonly name: string
  readonly size: number
  readonly private: boolean
  readonly removedAt: number
  /** When its last shard expires, removed or not. */
  readonly expiresAt: number
  /** `open`: the records are not withdrawn, or holders are still asked. `expired`: some said nothing as long as it counted. */
  readonly state: 'open' | 'done' | 'expired'
  /** No reader finds it any more. */
  readonly withdrawn: boolean
  /** Why it is not withdrawn, or its holders are not known. */
  readonly fault: Fault | undefined
  /** Empty for an object without shards. */
  readonly holders: readonly HolderRemoval[]
}

/** What a node holds for others, and how that fares. */
export interface HeldShards {
  readonly shards: number
  readonly bytes: number
  readonly quotaBytes: number
  /** Of these shards: the disk does not give them back as they were put, so they are not served. */
  readonly damaged: number
  /** Bytes that were read since the start to look for damage. */
  readonly scrubbedBytes: number
  /** When all shards had been read last, ms since the epoch; undefined when that is yet to come. */
  readonly scrubbedAt: number | undefined
  /** Why nothing more can be taken (E_DISK_FULL, E_QUOTA). */
  readonly fault: Fault | undefined
  /** E_SHARDS_DAMAGED while some are. */
  readonly notice: Fault | undefined
}

/** Objects that outlive their nodes (docs/specs/objects.md). References: `weft://<network>/<object>#<key>`. */
export interface Storage extends AsyncDisposable {
  /** @throws WeftError E_CLASS_UNAVAILABLE before a byte is sent, E_HOLDERS_LOST, E_PUT_FAILED, E_ABORTED, E_PRIVATE_UNAVAILABLE and those of OpenPrivate; then nothing stays at any holder. */
  put(source: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutResult>
  /** @throws WeftError E_RANGE (the range begins behind the object) */
  get(ref: string, options?: GetOptions): Promise<ObjectReader>
  /** Looks at up to 256 segments from `first` on; `next` of the answer says where to go on. @throws WeftError E_STAT_RANGE */
  stat(ref: string, options?: StatOptions): Promise<ObjectStatus>
  /**
   * Removes an object that this node put: its key is destroyed before this does anything else, its records are withdrawn,
   * and every holder deletes its shards and signs that it did. Resolves when each was asked once; who did not answer is
   * asked again in the background, until its shards expire. An abort ends the wait alone. Twice asks the silent ones again.
   * @param object its id @throws WeftError E_OBJECT_UNKNOWN (only the node that put it has the object's key), E_ABORTED
   */
  remove(object: string, options?: RemoveOptions): Promise<ObjectRemoval>
  /**
   * Lets an object that this node put be kept for longer: its records are written anew with a later end, and every holder
   * is told. Resolves when each was asked once; what failed is tried again in the background until the former end. Once the
   * records and so many holders that no repair is due have the new end, the list has it. An object that lasts as long
   * already is left as it is. An abort ends the wait alone.
   * @param object its id @param ttlMs from now, as of a put
   * @throws WeftError E_OBJECT_UNKNOWN (only the node that put it has the object's key), E_PUT_OPTION, E_ABORTED
   */
  renew(object: string, ttlMs: number, options?: RenewOptions): Promise<ObjectRenewal>
  /** How the last renewal of an object stands, since this node was started; undefined when there was none. */
  renewal(object: string): ObjectRenewal | undefined
  /** How the removal of an object stands, with what its holders signed; undefined for one that this node did not remove. */
  removal(object: string): ObjectRemoval | undefined
  /** The newest thousand removals, newest first. */
  removals(): readonly ObjectRemoval[]
  /** What was repaired of the objects that this node put, since it was started. */
  repaired(): RepairCounts
  /** Objects that this node put, newest first. */
  list(): readonly StoredObject[]
  held(): HeldShards
  /** What auditors found at this node, and what it found as an auditor. */
  readonly audits: Audits
  on<K extends keyof StorageEvents>(name: K, listener: (event: StorageEvents[K]) => void): () => void
}

export interface StorageEvents {
  /** A removal began, all of its holders were asked, or it is over. */
  removal: Pick<ObjectRemoval, 'object' | 'state' | 'withdrawn'> & {
    readonly holders: number
    /** Of them those that signed that they deleted it. */
    readonly deleted: number
  }
  /** A holder fell out of a put of this node. */
  holderLost: { readonly node: DidKey; readonly fault: Fault }
  /** Progress of transfers under way; at most four a second each, and the last. */
  transfer: {
    readonly id: string
    readonly kind: 'put' | 'get'
    readonly object: string
    readonly bytes: number
    readonly total: number | undefined
    readonly state: 'running' | 'done' | 'failed'
    readonly fault: Fault | undefined
  }
}
