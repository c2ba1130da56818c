import { WeftError, withTimeout } from '@weft/core'
import { type DidKey, fromDidKey } from '@weft/crypto'
import type { MemoryLease } from './memory-budget.ts'
import { FetchPace, fetchShards } from './fetch-shards.ts'
import type { HolderLinks } from './holder-links.ts'
import type { ObjectContext } from './object-context.ts'
import type { OpenHolder } from './open-holder.ts'
import type { PutHolders } from './put-holders.ts'
import { type PlacedSegment, type PutLedger, recordOf, rootOf, seatOf, setPlace } from './put-ledger.ts'
import type { ShardSender } from './shard-sender.ts'

/** A holder that does not say within this what it has is replaced, ms. */
const CHECK_TIMEOUT_MS = 15_000
/** Shards of this many segments are asked for at once (the limit of ShardStat). */
const STAT_SEGMENTS = 4096

export interface SegmentMenderInit {
  readonly context: Pick<ObjectContext, 'overlay' | 'coding' | 'shards' | 'clock' | 'logger'>
  readonly links: HolderLinks
  readonly holders: PutHolders
  readonly ledger: PutLedger
  readonly sender: ShardSender
  readonly object: Uint8Array
  readonly sealKey: Uint8Array
  readonly k: number
  /** Memory for so many bytes, once there is. */
  readonly reserve: (bytes: number) => Promise<MemoryLease>
}

/**
 * Makes shards again that went with a holder: the source of a put cannot be read twice, so k of the others are read
 * back from their holders. One segment at a time, so the memory is that of k + 1 shards.
 */
export class SegmentMender {
  readonly #init: SegmentMenderInit
  readonly #pace = new FetchPace()

  constructor(init: SegmentMenderInit) {
    this.#init = init
  }

  /** Until every shard of every segment that was acknowledged is at the holder of its seat. @throws WeftError E_SHARDS_MISSING, E_HOLDERS_LOST */
  async mend(): Promise<void> {
    const { ledger, holders } = this.#init
    for (let segment = ledger.astray(holders); segment !== undefined; segment = ledger.astray(holders)) {
      await this.#mendSegment(segment)
    }
  }

  /**
   * Mends until each holder also says that it has what it acknowledged. One that does not is replaced: it lied, or let
   * go of provisional shards while its stream was broken.
   */
  async settle(): Promise<void> {
    const { holders } = this.#init
    for (let changes = -1; changes !== holders.changes;) {
      await this.mend()
      changes = holders.changes
      await Promise.all(holders.all.map((holder, seat) => this.#check(seat, holder)))
    }
  }

  async #mendSegment(segment: PlacedSegment): Promise<void> {
    const { context, links, holders, object, sealKey, k, reserve } = this.#init
    const n = holders.n
    const astray = await this.#astrayOf(segment)
    const lease = await reserve((k + 1) * segment.shardLength)
    try {
      const record = recordOf(segment)
      const others = record.shards.filter(({ index }) => !astray.has(index))
      context.logger.debug('storage: shards of a segment are made again', {
        segment: segment.index,
        shards: astray.size,
      })
      const found = await fetchShards({
        context,
        links,
        pace: this.#pace,
        object,
        sealKey,
        k,
        segment: { ...record, shards: others, quorum: true },
        signal: holders.signal,
        onArrival: () => {},
      })
      const shards = Array.from({ length: n }, (_, index) => found[index])
      for (const [index, holder] of astray) await this.#remake(segment, index, holder, shards)
      for (const shard of shards) if (shard !== undefined) context.shards.give(shard)
    } finally {
      lease.release()
    }
  }

  /** Shards that are not where they belong, and where that is. */
  async #astrayOf({ index: segment, nodes }: PlacedSegment): Promise<Map<number, OpenHolder>> {
    const { holders } = this.#init
    const astray = new Map<number, OpenHolder>()
    for (const [index, node] of nodes.entries()) {
      const holder = await holders.holder(seatOf(segment, index, nodes.length))
      if (holder.id !== node) astray.set(index, holder)
    }
    return astray
  }

  async #remake(
    segment: PlacedSegment,
    index: number,
    holder: OpenHolder,
    shards: Awaited<ReturnType<typeof fetchShards>>,
  ): Promise<void> {
    const { context, holders, sender, object, sealKey, k } = this.#init
    const root = rootOf(segment.roots, index)
    const into = context.shards.take(segment.shardLength)
    const former = fromDidKey(segment.nodes[index] as DidKey)
    const place = { sealKey, object, segment: segment.index, index }
    const restored = { ...place, node: former, root, k, n: holders.n, shards, into }
    const isRight = await context.coding.restore({ kind: 'restore', ...restored })
    if (!isRight) throw notTheSame(segment.index, index)
    const moved = { ...place, from: former, to: holder.key, shard: into, into }
    const resealed = await context.coding.reseal({ kind: 'reseal', ...moved })
    const sealed = { segment: segment.index, index, shard: into, root: resealed, holder, isAlone: true }
    setPlace(segment, index, await sender.send(sealed))
  }

  async #check(seat: number, holder: OpenHolder): Promise<void> {
    const { context, holders } = this.#init
    const late = (): WeftError => cannotSay(`it did not answer within ${CHECK_TIMEOUT_MS / 1000} s`)
    try {
      await withTimeout(context.clock, CHECK_TIMEOUT_MS, holder.signal, late, (signal) => this.#stat(holder, signal))
    } catch (error) {
      await holders.replace(seat, holder, error)
    }
  }

  /** @throws WeftError when the holder does not have what it acknowledged */
  async #stat({ id, client }: OpenHolder, signal: AbortSignal): Promise<void> {
    const { ledger, object } = this.#init
    const expected = new Map<string, number>()
    let last = -1
    for (const { segment, index } of ledger.shardsAt(id)) {
      expected.set(`${segment.index}/${index}`, segment.shardLength)
      last = Math.max(last, segment.index)
    }
    for (let first = 0; first <= last && expected.size > 0; first += STAT_SEGMENTS) {
      const count = Math.min(STAT_SEGMENTS, last + 1 - first)
      for (const { segment, index, length, corrupt } of await client.stat(object, first, count, signal)) {
        const name = `${segment}/${index}`
        if (!corrupt && expected.get(name) === length) expected.delete(name)
      }
    }
    const [missing] = expected.keys()
    if (missing !== undefined) throw cannotSay(`it acknowledged shard ${missing} of the put and does not have it`)
  }
}

function cannotSay(why: string): WeftError {
  return new WeftError({
    code: 'E_HOLDER_CHECK',
    cause: `At the end of the put the holder was asked what it has: ${why}.`,
    fix: 'See the log of the holder.',
    retryable: true,
  })
}

function notTheSame(segment: number, index: number): WeftError {
  return new WeftError({
    code: 'E_PUT_FAILED',
    cause: `Shard ${index} of segment ${segment} could not be made again from the others.`,
    fix: 'Put it again; if it happens again, look for faulty memory in this machine.',
    retryable: true,
  })
}
