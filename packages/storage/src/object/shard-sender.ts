import { WeftError, isWeftError, throwIfAborted, wait } from '@weft/core'
import type { SharedBytes } from './coding-job.ts'
import type { ObjectContext } from './object-context.ts'
import type { OpenHolder } from './open-holder.ts'
import type { PutHolders } from './put-holders.ts'
import { type StoredAt, seatOf } from './put-ledger.ts'
import { PutPace } from './put-pace.ts'
import type { StallWatch } from './stall-watch.ts'

/** A holder lets go of what it received on a broken stream within this, ms; until then it refuses the same shard. */
const LET_GO_MS = 5_000
/** It is asked again this often, ms. */
const ASK_AGAIN_MS = 250

export interface ShardSenderInit {
  readonly context: Pick<ObjectContext, 'coding' | 'shards' | 'clock' | 'memory'>
  readonly object: Uint8Array
  readonly sealKey: Uint8Array
  readonly holders: PutHolders
  readonly stall: StallWatch
}

/** A shard on its way, sealed for one holder. The sender gives the buffer back. */
export interface SealedFor {
  readonly segment: number
  readonly index: number
  readonly shard: SharedBytes
  /** Of these bytes: another one for each holder. */
  readonly root: Uint8Array
  readonly holder: Pick<OpenHolder, 'id' | 'key'>
  /** It is made again: no others of its segment are sent beside it. */
  readonly isAlone?: boolean
}

/**
 * Brings shards to the holders of their seats, whoever that is by the time they are on disk. One that is late is sent to
 * a spare as well, and whoever has it first keeps the seat.
 */
export class ShardSender {
  readonly #init: ShardSenderInit
  readonly #pace: PutPace

  constructor(init: ShardSenderInit) {
    this.#init = init
    this.#pace = new PutPace(init.context.clock, init.holders.n)
  }

  /** Resolves with the holder that has the shard on disk. @throws WeftError E_HOLDERS_LOST, E_ABORTED */
  async send(first: SealedFor): Promise<StoredAt> {
    const { holders, stall, context } = this.#init
    const seat = seatOf(first.segment, first.index, holders.n)
    let sealed = first
    for (;;) {
      const holder = await holders.holder(seat)
      throwIfAborted(holders.signal)
      if (holder.id !== sealed.holder.id) sealed = await this.#resealed(sealed, holder)
      try {
        const stored = await stall.watch(this.#race(seat, sealed, holder))
        stored.holder.served = true
        // What another stream was sent from, it may still read: that is left to the collector.
        if (sealed === first && stored.holder === holder) context.shards.give(sealed.shard)
        return stored
      } catch (error) {
        throwIfAborted(holders.signal)
        sealed = { ...sealed }
        await holders.replace(seat, holder, error)
      }
    }
  }

  /** Resolves with who has the shard on disk first: the holder of the seat, or a spare once that is late. */
  async #race(seat: number, sealed: SealedFor, holder: OpenHolder): Promise<StoredAt> {
    const over = new AbortController()
    const won = Promise.withResolvers<StoredAt>()
    const onSlow = (): void => void this.#challenge(seat, sealed, holder, over.signal, won.resolve)
    const end = this.#pace.watch(sealed.isAlone === true ? undefined : sealed.segment, onSlow)
    let isStored = false
    try {
      const stored = await Promise.race([
        this.#put(sealed, holder).then(() => ({ holder, root: sealed.root })),
        won.promise,
      ])
      isStored = true
      return stored
    } finally {
      over.abort()
      end(isStored)
    }
  }

  async #challenge(
    seat: number,
    sealed: SealedFor,
    holder: OpenHolder,
    over: AbortSignal,
    won: (stored: StoredAt) => void,
  ): Promise<void> {
    const { holders, context } = this.#init
    const rival = await holders.rival(seat, holder)
    if (rival === undefined) return
    const lease = context.memory.take(sealed.shard.length)
    try {
      throwIfAborted(over)
      const copy = await this.#resealed(sealed, rival)
      throwIfAborted(over)
      await this.#put(copy, rival, AbortSignal.any([rival.signal, over]))
      context.shards.give(copy.shard)
      const seated = (): void => won({ holder: rival, root: copy.root })
      if (holders.unseat(seat, holder, rival, tooSlow(), seated)) return
      holders.giveBack(seat, rival)
    } catch (error) {
      holders.giveBack(seat, rival, over.aborted ? undefined : error)
    } finally {
      lease.release()
    }
  }

  async #put(
    { segment, index, shard }: SealedFor,
    { client, signal: gone, isReopened }: OpenHolder,
    signal = gone,
  ): Promise<void> {
    const { clock } = this.#init.context
    const started = clock.monotonic()
    for (;;) {
      try {
        await client.put({ object: this.#init.object, segment, index }, shard, signal)
        return
      } catch (error) {
        const isBeingDropped = isReopened && isWeftError(error, 'E_SHARD_EXISTS')
        if (!isBeingDropped || clock.monotonic() - started >= LET_GO_MS) throw error
        await wait(clock, ASK_AGAIN_MS, signal)
      }
    }
  }

  /** A copy for another holder: the stream of the former one may still read what it was given. */
  async #resealed(sealed: SealedFor, holder: OpenHolder): Promise<SealedFor> {
    const { segment, index, shard, holder: from } = sealed
    const { context, object, sealKey } = this.#init
    const into = context.shards.take(shard.length)
    const place = { sealKey, object, segment, index, from: from.key, to: holder.key }
    const root = await context.coding.reseal({ kind: 'reseal', ...place, shard, into })
    return { ...sealed, shard: into, root, holder }
  }
}

function tooSlow(): WeftError {
  return new WeftError({
    code: 'E_HOLDER_SLOW',
    cause: 'it took several times as long as the others of its segment, and another node was faster.',
    fix: 'Look at the connection to it (`weft ping`) and at its disk.',
    retryable: true,
  })
}
