import { type Clock, type Fault, type Logger, type Scope, WeftError, messageOf } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { ByteStream, Streams } from '@weft/overlay'
import { encodeFrame } from '@weft/wire'
import { BlobStore } from '../blobs/blob-store.ts'
import { type HolderLimits, defaultHolderLimits } from './holder-limits.ts'
import { ProvisionalShards } from './provisional-shards.ts'
import { ShardService, encodeResponse } from './shard-service.ts'
import { ShardSession } from './shard-session.ts'

export interface HolderOptions {
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
  readonly limits?: Partial<HolderLimits>
  /** Says why this holder does not take shards of an object from a peer; by default it takes all. */
  readonly refuses?: (object: Uint8Array, from: DidKey) => Fault | undefined
}

/** This node as a keeper of other people's shards. */
export interface Holder {
  readonly store: BlobStore
  /** What is kept; `fault` (E_DISK_FULL, E_QUOTA) while nothing more can be taken. */
  held(): {
    readonly shards: number
    readonly bytes: number
    readonly quotaBytes: number
    readonly fault: Fault | undefined
  }
}

/**
 * Opens the store and serves the shard protocol until the scope closes.
 * @throws WeftError E_DISK, E_DISK_FULL, E_DATABASE
 */
export async function createHolder(options: HolderOptions): Promise<Holder> {
  const { streams, directory, quotaBytes, reserveBytes, clock, logger } = options
  const scope = options.scope.child('holder')
  const limits = { ...defaultHolderLimits(quotaBytes), ...options.limits }
  const store = await BlobStore.open({ directory, quotaBytes, reserveBytes, clock, logger, scope })
  const provisional = scope.use('provisional shards', new ProvisionalShards(store, clock, logger, limits))
  const service = new ShardService({ store, provisional, clock, refuses: options.refuses ?? (() => undefined) })
  const sessions = new Sessions(limits)
  scope.defer('shard streams', () => sessions.ended())
  streams.handleStream('shard', (stream, signal) =>
    sessions.run(stream, async () => {
      const both = AbortSignal.any([signal, scope.signal])
      try {
        await new ShardSession(service, stream, limits, clock, logger).run(both)
      } catch (error) {
        logger.debug('a shard stream was reset', { peer: shortId(stream.remote), error: messageOf(error) })
        throw error
      }
    }),
  )
  return {
    store,
    held: () => ({ ...store.held, quotaBytes, fault: store.fault() }),
  }
}

/** The streams that are open, within limits. */
class Sessions {
  readonly #limits: HolderLimits
  readonly #perPeer = new Map<DidKey, number>()
  readonly #running = new Set<Promise<void>>()

  constructor(limits: HolderLimits) {
    this.#limits = limits
  }

  /** @throws WeftError E_BUSY when there are too many; what the session throws */
  async run(stream: ByteStream, session: () => Promise<void>): Promise<void> {
    const { remote } = stream
    const open = this.#perPeer.get(remote) ?? 0
    if (this.#running.size >= this.#limits.streams || open >= this.#limits.streamsPerPeer) {
      const busy = new WeftError({
        code: 'E_BUSY',
        cause: `${open} shard streams of this peer and ${this.#running.size} of all peers are open.`,
        fix: 'Use fewer streams at once, or try again later.',
        retryable: true,
      })
      const { code, cause, fix, retryable } = busy
      await stream.write(encodeFrame(encodeResponse({ case: 'fault', value: { code, cause, fix, retryable } })))
      await stream.closeWrite()
      throw busy
    }
    this.#perPeer.set(remote, open + 1)
    const running = session().finally(() => {
      this.#running.delete(running)
      const left = (this.#perPeer.get(remote) ?? 1) - 1
      if (left === 0) this.#perPeer.delete(remote)
      else this.#perPeer.set(remote, left)
    })
    this.#running.add(running)
    await running
  }

  async ended(): Promise<void> {
    await Promise.allSettled(this.#running)
  }
}
