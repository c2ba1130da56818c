import { join } from 'node:path'
import { availableParallelism } from 'node:os'
import type { Clock, Logger, Random, Scope } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import type { Overlay } from '@weft/overlay'
import { MiB } from '@weft/wire'
import type { Archives } from './archive/archives.ts'
import { openArchives } from './archive/open-archives.ts'
import { NO_AUDITS } from './audit/audits.ts'
import { type AuditTimes, createAudits } from './audit/create-audits.ts'
import type { OwnBuckets } from './buckets/named-objects.ts'
import { ownObjects } from './buckets/own-objects.ts'
import { openBuckets } from './buckets/open-buckets.ts'
import { createHolder } from './holder/create-holder.ts'
import { judgeKeeps } from './holder/keep-judge.ts'
import { BufferPool } from './object/buffer-pool.ts'
import { CodingPool } from './object/coding-pool.ts'
import { loopbackStreams } from './object/loopback-streams.ts'
import { MemoryBudget } from './object/memory-budget.ts'
import { ObjectIndex } from './object/object-index.ts'
import { ObjectRecords } from './object/object-records.ts'
import { ObjectStorage } from './object/object-storage.ts'
import { OPEN_TIMEOUT_MS } from './object/holder-links.ts'
import { longestTtl } from './object/put-request.ts'
import type { HeldShards, OpenPrivate, Storage } from './storage.ts'

/** Coding threads at most by default: more would only queue for memory, which is dearer here than time. One core is left to the sockets. */
const MAX_THREADS = 2
/**
 * Segments in flight over all transfers, bytes: of a get two with their shards and one that is decoded; of a put one and
 * the plaintext of the next. A put that begins the next segment before all holders have the one before takes 20 MB more,
 * which is too much: a daemon stays below 300 MB.
 */
const MEMORY_BUDGET = 84 * MiB

const HOLDS_NOTHING: HeldShards = {
  shards: 0,
  bytes: 0,
  quotaBytes: 0,
  damaged: 0,
  scrubbedBytes: 0,
  scrubbedAt: undefined,
  fault: undefined,
  notice: undefined,
}

/** How much of this node's disk serves others. */
export interface HolderQuota {
  /** Bytes of shards at most. */
  readonly quotaBytes: number
  /** Bytes of the disk that stay free whatever the quota says. */
  readonly reserveBytes: number
}

export interface StorageOptions {
  readonly overlay: Overlay
  /** The person whose objects these are; encrypts the list of them. */
  readonly personKey: SigningKey
  /** State directory of storage; made if it is not there. */
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly scope: Scope
  /** Set on nodes of role `storage`: they hold shards for others. */
  readonly holder?: HolderQuota & {
    /** Of this node: signs what it says it deleted. */
    readonly key: SigningKey
  }
  /** Left out, this node neither audits as a validator nor answers audits as a holder. */
  readonly audits?: {
    /** Of this node: signs manifests, answers and receipts. */
    readonly key: SigningKey
    readonly times: AuditTimes
  }
  /** By which private transfers go; without it there are none. */
  readonly openPrivate?: OpenPrivate
  /** Coding threads at most; by default one less than there are cores, one or two. They start when first needed. */
  readonly workers?: number
}

/** Objects by reference, by name, and all of them in one archive. */
export interface PersonStorage extends Storage {
  readonly buckets: OwnBuckets
  readonly archives: Archives
}

/**
 * Objects of a person on top of the overlay, and the shards of others where this node is a holder.
 * @throws WeftError E_OBJECT_INDEX, E_AUDIT_BOOK, E_CATALOG, E_DISK, E_DISK_FULL, E_DATABASE when the state directory cannot be used.
 */
export async function createStorage(options: StorageOptions): Promise<PersonStorage> {
  const { overlay, personKey, directory, clock, random, logger, holder: limits } = options
  const scope = options.scope.child('storage')
  try {
    const streams = loopbackStreams(overlay.self, overlay.streams, logger, scope.signal)
    const isMember = (id: DidKey): boolean => id === overlay.self || overlay.membership.isMember(id)
    const networkTime = (): number | undefined => overlay.membership.status().signedAt
    const shards = join(directory, 'shards')
    const records = new ObjectRecords(overlay.records, clock)
    const judgeKeep = judgeKeeps(overlay, records)
    const holder =
      limits === undefined
        ? undefined
        : await createHolder({
            streams,
            directory: shards,
            ...limits,
            isMember,
            networkTime,
            judgeKeep,
            clock,
            logger,
            scope,
          })
    const threads = options.workers ?? Math.min(MAX_THREADS, Math.max(1, availableParallelism() - 1))
    const index = scope.use('object index', new ObjectIndex(directory, personKey, random))
    const coding = scope.use('coding threads', new CodingPool({ threads, clock }))
    const buffers = {
      memory: new MemoryBudget(MEMORY_BUDGET),
      plaintexts: scope.use('plaintext buffers', new BufferPool(MEMORY_BUDGET, clock)),
      shards: scope.use('shard buffers', new BufferPool(MEMORY_BUDGET, clock)),
    }
    const context = {
      overlay,
      self: overlay.self,
      streams,
      records,
      openMs: OPEN_TIMEOUT_MS,
      isPrivate: false,
      coding,
      ...buffers,
      clock,
      random,
      logger,
      signal: scope.signal,
    }
    const audits =
      options.audits === undefined
        ? undefined
        : createAudits({
            ...options.audits,
            overlay,
            store: holder?.store,
            records,
            directory,
            clock,
            random,
            logger,
            scope,
          })
    const storage = new ObjectStorage({
      context,
      openPrivate: options.openPrivate,
      index,
      held: () => holder?.held() ?? HOLDS_NOTHING,
      audits: audits ?? NO_AUDITS,
      close: () => scope.close(),
    })
    scope.defer('removals', () => storage.settled())
    const lifetime = (): number => longestTtl(overlay.membership.isMember(overlay.self))
    const buckets = await openBuckets({
      storage,
      records: overlay.records,
      ...ownObjects(storage, index),
      longestTtl: lifetime,
      directory,
      personKey,
      clock,
      random,
      logger,
      scope,
    })
    const { networkId } = overlay
    const archives = openArchives({ storage, buckets, index, networkId, longestTtl: lifetime, clock })
    return Object.assign(storage, { buckets, archives })
  } catch (error) {
    await scope.close()
    throw error
  }
}
