import { WeftError, abortError, withTimeout } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { SharedBytes } from './coding-job.ts'
import type { HolderLinks } from './holder-links.ts'
import { standIns } from '../placement/stand-ins.ts'
import { type ObjectContext, isReachable, storageMembers } from './object-context.ts'
import type { ObjectSegment, ShardRecord } from './object-records.ts'
import { type ShardFault, shardFault } from './shard-fault.ts'

/** Shards asked for beyond k when some are slow, as a share of k (docs/specs/objects.md, Get). */
const HEDGE_SHARE = 0.35
/** Patience with slow shards: three times what shards of this transfer took, between these bounds, ms. */
const HEDGE_FACTOR = 3
const MIN_HEDGE_MS = 500
const FIRST_HEDGE_MS = 2_000
const MAX_HEDGE_MS = 10_000
/** A shard that takes longer counts as unreachable, ms: 5.6 MB at a quarter of a megabit a second. */
const SHARD_TIMEOUT_MS = 180_000

export interface FetchShards {
  readonly context: Pick<ObjectContext, 'overlay' | 'coding' | 'shards' | 'clock' | 'logger'>
  readonly links: HolderLinks
  readonly pace: FetchPace
  readonly object: Uint8Array
  /** Opens what its holders sealed (`deriveObjectKeys`). */
  readonly sealKey: Uint8Array
  readonly k: number
  readonly segment: ObjectSegment
  readonly signal: AbortSignal
  /** Called for each shard that is here, before it is checked. */
  readonly onArrival: () => void
}

/** What shards of one transfer took so far; makes the hedge adapt to the network at hand. */
export class FetchPace {
  #average: number | undefined

  /** @param ms how long one shard took from the request to its check. */
  add(ms: number): void {
    this.#average = this.#average === undefined ? ms : 0.8 * this.#average + 0.2 * ms
  }

  /** ms to wait before more shards are asked for. */
  get patience(): number {
    if (this.#average === undefined) return FIRST_HEDGE_MS
    return Math.min(MAX_HEDGE_MS, Math.max(MIN_HEDGE_MS, HEDGE_FACTOR * this.#average))
  }
}

/**
 * Fetches and checks k shards of a segment: data shards at connected holders first; another one at once for each that
 * fails, and some more when those under way are slow. Wrong shards are ignored and named in the log.
 * @returns n places by index, k or a few more of them unsealed and verified.
 * @throws WeftError E_SHARDS_MISSING, E_ABORTED
 */
export async function fetchShards(job: FetchShards): Promise<(SharedBytes | undefined)[]> {
  return new ShardFetch(job).run()
}

/** One place where a shard may be. */
interface Attempt {
  readonly shard: ShardRecord
  /** The holder that its owner chose, or one that may keep it in its place. */
  readonly at: DidKey
}

class ShardFetch {
  readonly #job: FetchShards
  readonly #queue: Attempt[]
  readonly #shards: (SharedBytes | undefined)[]
  readonly #faults: ShardFault[] = []
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #settled = Promise.withResolvers<void>()
  readonly #running = new Set<Promise<void>>()
  #verified = 0
  #hedges = 0
  #over = false

  constructor(job: FetchShards) {
    this.#job = job
    this.#queue = inOrder(job)
    this.#shards = Array.from({ length: job.segment.shards.length }, () => undefined)
    this.#signal = AbortSignal.any([job.signal, this.#stop.signal])
  }

  async run(): Promise<(SharedBytes | undefined)[]> {
    const { signal } = this.#job
    const onAbort = (): void => this.#settled.reject(abortError(signal))
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    const cancelHedge = this.#armHedge()
    try {
      this.#launch()
      await this.#settled.promise
      return this.#shards
    } finally {
      this.#over = true
      cancelHedge()
      signal.removeEventListener('abort', onAbort)
      this.#stop.abort()
      // Their buffers go back to the pool as they end, which they do at once.
      await Promise.all(this.#running)
    }
  }

  /** Keeps as many requests under way as shards are still needed, and the hedges. */
  #launch(): void {
    const wanted = this.#job.k - this.#verified + this.#hedges
    while (!this.#over && this.#running.size < wanted) {
      const attempt = this.#queue.shift()
      if (attempt === undefined) break
      const { shard, at } = attempt
      // It came from elsewhere meanwhile; and who is down is not asked for each shard that it may have.
      if (this.#shards[shard.index] !== undefined || (at !== shard.node && this.#job.links.failed(at))) continue
      const task = this.#fetch(attempt).then(() => {
        this.#running.delete(task)
        if (this.#over) return
        if (this.#verified >= this.#job.k) this.#settled.resolve()
        else this.#launch()
      })
      this.#running.add(task)
    }
    if (this.#running.size === 0 && this.#verified < this.#job.k) this.#settled.reject(this.#missing())
  }

  #armHedge(): () => void {
    const { clock } = this.#job.context
    const arm = (): (() => void) =>
      clock.after(this.#job.pace.patience, () => {
        this.#hedges += Math.ceil(HEDGE_SHARE * this.#job.k)
        this.#launch()
        cancel = arm()
      })
    let cancel = arm()
    return () => cancel()
  }

  async #fetch({ shard, at }: Attempt): Promise<void> {
    const { context, links, pace, object, sealKey, segment, onArrival } = this.#job
    const started = context.clock.monotonic()
    const { index } = shard
    const buffer = context.shards.take(segment.shardLength)
    try {
      const client = await links.client(at)
      await withTimeout(
        context.clock,
        SHARD_TIMEOUT_MS,
        this.#signal,
        () => tooSlow(at),
        (signal) => client.get({ object, segment: segment.index, index }, buffer, signal),
      )
      onArrival()
      // Whoever keeps it: it is sealed for the holder that its owner chose.
      const place = { sealKey, object, segment: segment.index, index, node: shard.nodeKey, root: shard.root }
      const isValid = await context.coding.verify({ kind: 'verify', ...place, shard: buffer })
      if (!isValid) throw wrongShard(index, at)
      pace.add(context.clock.monotonic() - started)
      if (!this.#over && this.#shards[index] === undefined) {
        this.#shards[index] = buffer
        this.#verified++
        return
      }
    } catch (error) {
      if (!this.#over && !this.#job.signal.aborted) this.#note({ shard, at }, error)
    }
    // Neither the stream nor a thread writes into it any more: both are done with it when they settle.
    context.shards.give(buffer)
  }

  #note({ shard, at }: Attempt, error: unknown): void {
    const fault = shardFault(shard.index, at, error)
    const isOwn = at === shard.node
    if (isOwn) this.#seekElsewhere(shard)
    // A stand-in that has nothing is what most of them are.
    if (!isOwn && fault.state === 'missing') return
    if (isOwn) this.#faults.push(fault)
    if (fault.state !== 'missing') this.#job.links.blame(at)
    this.#job.context.logger.warn('storage: a shard is ignored', {
      segment: this.#job.segment.index,
      shard: fault.index,
      node: fault.node,
      state: fault.state,
      code: fault.code,
    })
  }

  /** The holder of a shard did not give it: those who may keep it in its place are asked, behind all others. */
  #seekElsewhere(shard: ShardRecord): void {
    const { context, object, segment } = this.#job
    const named = new Set(segment.shards.map(({ node }) => node))
    const name = { object, segment: segment.index, index: shard.index }
    for (const at of standIns(name, named, storageMembers(context))) this.#queue.push({ shard, at })
  }

  #missing(): WeftError {
    const { k, segment } = this.#job
    const faults = this.#faults.toSorted((a, b) => a.index - b.index)
    const list = faults.map(({ index, node, state }) => `shard ${index} on …${shortId(node)} (${state})`).join(', ')
    return new WeftError({
      code: 'E_SHARDS_MISSING',
      cause: `Segment ${segment.index}: ${this.#verified} of ${k} needed shards; missing: ${list}.`,
      fix: faults.some(({ state }) => state === 'unreachable')
        ? 'Bring one of the unreachable nodes back and try again; `weft stat` shows where each shard is.'
        : 'Its holders do not have it any more; put the file again where there is another copy of it.',
      retryable: true,
      details: { segment: segment.index, found: this.#verified, needed: k, missing: faults },
    })
  }
}

/** Holders that did not serve before last, then those that are connected, then by index: data shards need no decoding. */
function inOrder({ context, links, segment }: FetchShards): Attempt[] {
  const rank = ({ node }: ShardRecord): number => (links.failed(node) ? 2 : isReachable(context, { id: node }) ? 0 : 1)
  return segment.shards
    .map((shard) => ({ shard, rank: rank(shard) }))
    .sort((a, b) => a.rank - b.rank || a.shard.index - b.shard.index)
    .map(({ shard }) => ({ shard, at: shard.node }))
}

function wrongShard(index: number, node: DidKey): WeftError {
  return new WeftError({
    code: 'E_SHARD_CORRUPT',
    cause: `Shard ${index} from …${shortId(node)} does not have the root that its owner signed.`,
    fix: 'Nothing to do: it is ignored and another shard is fetched.',
  })
}

function tooSlow(node: DidKey): WeftError {
  return new WeftError({
    code: 'E_CALL_TIMEOUT',
    cause: `…${shortId(node)} did not deliver within ${SHARD_TIMEOUT_MS / 1000} s.`,
    fix: 'Try again later.',
    retryable: true,
  })
}
