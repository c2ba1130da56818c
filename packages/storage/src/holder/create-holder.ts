import { type Clock, type Fault, type Logger, type Scope, WeftError, counted, messageOf } from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import type { ByteStream, Streams } from '@weft/overlay'
import { encodeFrame } from '@weft/wire'
import { BlobStore } from '../blobs/blob-store.ts'
import type { HeldShards } from '../storage.ts'
import { type HolderLimits, defaultHolderLimits } from './holder-limits.ts'
import type { JudgeKeep } from './keep-judge.ts'
import { ProvisionalShards } from './provisional-shards.ts'
import { ShardService, encodeResponse } from './shard-service.ts'
import { ShardSession } from './shard-session.ts'
import { StreamPlaces } from './stream-places.ts'

export interface HolderOptions {
  /** Of this node: signs what it says it deleted. */
  readonly key: SigningKey
  readonly streams: Streams
  /** State directory of the shards; made when it does not exist. */
  readonly directory: string
  /** Bytes of shards that this node keeps at most. */
  readonly quotaBytes: number
  /** Bytes of the disk that stay free. */
  readonly reserveBytes: number
  readonly clock: Clock
  readonly logger: Logger
  readonly scope: Scope
  /** Whether a peer is in the map: strangers get a part of the room and of the streams only. */
  readonly isMember: (peer: DidKey) => boolean
  /** When the network's newest signed map was signed, ms since the epoch: nothing expires before. Left out: the clock is believed. */
  readonly networkTime?: () => number | undefined
  readonly limits?: Partial<HolderLimits>
  /** Without it the holder keeps nothing in the place of others. */
  readonly judgeKeep?: JudgeKeep
  /** Says why this holder does not take shards of an object from a peer; by default it takes all. */
  readonly refuses?: (object: Uint8Array, from: DidKey) => Fault | undefined
}

/** This node as a keeper of other people's shards. */
export interface Holder {
  readonly store: BlobStore
  held(): HeldShards
}

/**
 * Opens the store and serves the shard protocol until the scope closes.
 * @throws WeftError E_DISK, E_DISK_FULL, E_DATABASE
 */
export async function createHolder(options: HolderOptions): Promise<Holder> {
  const { streams, directory, quotaBytes, reserveBytes, isMember, clock, logger } = options
  const scope = options.scope.child('holder')
  const limits = { ...defaultHolderLimits(quotaBytes), ...options.limits }
  const store = await BlobStore.open({
    directory,
    quotaBytes,
    reserveBytes,
    isMember: (peer) => isMember(peer as DidKey),
    clock,
    logger,
    scope,
    ...(options.networkTime !== undefined && { networkTime: options.networkTime }),
  })
  const provisional = scope.use('provisional shards', new ProvisionalShards(store, clock, logger, limits))
  const service = new ShardService({
    store,
    provisional,
    clock,
    isMember,
    key: options.key,
    judgeKeep: options.judgeKeep,
    refuses: options.refuses ?? (() => undefined),
  })
  const places = new StreamPlaces(limits, isMember)
  const sessions = new Set<Promise<void>>()
  scope.defer('shard streams', () => Promise.allSettled(sessions).then(() => {}))
  const serve = async (stream: ByteStream, signal: AbortSignal): Promise<void> => {
    const leave = await enter(places, stream)
    logger.debug('a shard stream begins', { peer: shortId(stream.remote), member: isMember(stream.remote) })
    try {
      await new ShardSession(service, stream, limits, clock, logger).run(AbortSignal.any([signal, scope.signal]))
    } catch (error) {
      logger.debug('a shard stream was reset', { peer: shortId(stream.remote), error: messageOf(error) })
      throw error
    } finally {
      leave()
    }
  }
  streams.handleStream('shard', async (stream, signal) => {
    const session = serve(stream, signal).finally(() => sessions.delete(session))
    sessions.add(session)
    await session
  })
  return {
    store,
    held: () => {
      const { health } = store
      return { ...store.held, ...health, quotaBytes, fault: store.fault(), notice: damageNotice(health.damaged) }
    },
  }
}

function damageNotice(damaged: number): Fault | undefined {
  if (damaged === 0) return undefined
  return {
    code: 'E_SHARDS_DAMAGED',
    cause: `The disk does not give back ${counted(damaged, 'shard')} that this node keeps for others as ${damaged === 1 ? 'it was' : 'they were'} put. They are not served.`,
    fix: 'Check the disk (its SMART values, the log of the kernel) before it loses more. Damaged shards go when they are put anew, or when their room is needed.',
  }
}

/** Takes a place for the stream, or tells the peer on it why there is none. @throws WeftError E_BUSY */
async function enter(places: StreamPlaces, stream: ByteStream): Promise<() => void> {
  try {
    return places.take(stream.remote)
  } catch (error) {
    if (error instanceof WeftError) {
      const { code, cause, fix, retryable } = error
      await stream.write(encodeFrame(encodeResponse({ case: 'fault', value: { code, cause, fix, retryable } })))
      await stream.closeWrite()
    }
    throw error
  }
}
