import { isWeftError, throwIfAborted, wait } from '@weft/core'
import type { SharedBytes } from './coding-job.ts'
import type { ObjectContext } from './object-context.ts'
import type { OpenHolder, PutHolders } from './put-holders.ts'
import { seatOf } from './put-ledger.ts'
import type { StallWatch } from './stall-watch.ts'

/** A holder lets go of what it received on a broken stream within this, ms; until then it refuses the same shard. */
const LET_GO_MS = 5_000
/** It is asked again this often, ms. */
const ASK_AGAIN_MS = 250

export interface ShardSenderInit {
  readonly context: Pick<ObjectContext, 'coding' | 'shards' | 'clock'>
  readonly object: Uint8Array
  readonly dataKey: Uint8Array
  readonly holders: PutHolders
  readonly stall: StallWatch
}

/** A shard on its way, sealed for one holder. The sender gives the buffer back. */
export interface SealedFor {
  readonly segment: number
  readonly index: number
  readonly shard: SharedBytes
  readonly holder: Pick<OpenHolder, 'id' | 'key'>
}

/** Brings shards to the holders of their seats, whoever that is by the time they are on disk. */
export class ShardSender {
  readonly #init: ShardSenderInit

  constructor(init: ShardSenderInit) {
    this.#init = init
  }

  /** Resolves with the holder that has the shard on disk. @throws WeftError E_HOLDERS_LOST, E_ABORTED */
  async send(first: SealedFor): Promise<OpenHolder> {
    const { holders, stall, context } = this.#init
    const seat = seatOf(first.segment, first.index, holders.n)
    let sealed = first
    for (;;) {
      const holder = await holders.holder(seat)
      throwIfAborted(holders.signal)
      if (holder.id !== sealed.holder.id) sealed = await this.#resealed(sealed, holder)
      try {
        await stall.watch(this.#put(sealed, holder))
        holder.served = true
        // What another stream was sent from, it may still read: that is left to the collector.
        if (sealed === first) context.shards.give(sealed.shard)
        return holder
      } catch (error) {
        throwIfAborted(holders.signal)
        sealed = { ...sealed }
        await holders.replace(seat, holder, error)
      }
    }
  }

  async #put({ segment, index, shard }: SealedFor, { client, signal, isReopened }: OpenHolder): Promise<void> {
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
  async #resealed({ segment, index, shard, holder: from }: SealedFor, holder: OpenHolder): Promise<SealedFor> {
    const { context, object, dataKey } = this.#init
    const into = context.shards.take(shard.length)
    const place = { dataKey, object, segment, index, from: from.key, to: holder.key }
    await context.coding.reseal({ kind: 'reseal', ...place, shard, into })
    return { segment, index, shard: into, holder }
  }
}
