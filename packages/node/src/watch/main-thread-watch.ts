import { PerformanceObserver, type RecordableHistogram, createHistogram } from 'node:perf_hooks'
import type { Logger } from '@weft/core'
import { type BlockCause, causeOfBlock } from './block-cause.ts'
import { type ThreadUsage, readThreadUsage } from './thread-usage.ts'

/** ms between looks. */
const INTERVAL_MS = 25
/** ms: the longest that anything may hold the main thread. */
const BLOCK_LIMIT_MS = 50
/** Looks between two readings of the thread's usage, which cost a system call and a file each. */
const LOOKS_PER_READING = 8
/** The percentile is over the last one to two of these, ms. */
const WINDOW_MS = 60_000

interface Block {
  readonly start: number
  readonly end: number
  readonly before: ThreadUsage
  readonly after: ThreadUsage
}

/**
 * Watches that nothing holds the main thread for more than 50 ms. A timer that comes late was held up: by how much, and
 * whether by computation, garbage collection, a blocking call or other processes, goes to the log and the metrics.
 * (`monitorEventLoopDelay` would be lighter, but loses the first interval after each reset, and tells no cause.)
 */
export class MainThreadWatch implements Disposable {
  readonly #logger: Logger
  readonly #blocks = new Map<BlockCause, number>()
  readonly #timer: NodeJS.Timeout
  readonly #collector: PerformanceObserver
  #current: RecordableHistogram = createHistogram()
  #previous: RecordableHistogram = createHistogram()
  #windowEnds: number
  #last = performance.now()
  #usage: ThreadUsage = readThreadUsage()
  #looks = 0
  #block: Block | undefined
  /** ms of garbage collection since the last reading. */
  #collectedMs = 0

  constructor(logger: Logger) {
    this.#logger = logger
    this.#windowEnds = this.#last + WINDOW_MS
    this.#timer = setInterval(() => this.#look(), INTERVAL_MS)
    this.#timer.unref()
    this.#collector = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.#collectedMs += duration
    })
    this.#collector.observe({ entryTypes: ['gc'] })
  }

  /** ms by which the main thread came late: 99th percentile of the last one to two minutes. */
  get p99Ms(): number {
    const of = (histogram: RecordableHistogram): number => (histogram.count === 0 ? 0 : histogram.percentile(99) / 1e6)
    return Math.max(of(this.#current), of(this.#previous))
  }

  /** Breaches so far, by cause. */
  get blocks(): ReadonlyMap<BlockCause, number> {
    return this.#blocks
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#collector.disconnect()
  }

  #look(): void {
    const now = performance.now()
    const start = this.#last + INTERVAL_MS
    const lateMs = Math.max(0, now - start)
    this.#last = now
    this.#current.record(Math.max(1, Math.round(lateMs * 1e6)))
    // Collections are told after the timers of a turn: a block is judged one look later, when they are known.
    if (this.#block !== undefined) this.#report(this.#block)
    this.#block = undefined
    const breach = lateMs > BLOCK_LIMIT_MS
    if (breach || ++this.#looks >= LOOKS_PER_READING) {
      const before = this.#usage
      this.#usage = readThreadUsage()
      this.#looks = 0
      if (breach) this.#block = { start, end: now, before, after: this.#usage }
      else this.#collectedMs = 0
    }
    if (now > this.#windowEnds) {
      this.#previous = this.#current
      this.#current = createHistogram()
      this.#windowEnds = now + WINDOW_MS
    }
  }

  #report({ start, end, before, after }: Block): void {
    const cause = causeOfBlock(end - start, before, after, this.#collectedMs)
    this.#blocks.set(cause, (this.#blocks.get(cause) ?? 0) + 1)
    // Work of others on a busy machine is no fault of this process, and there is a lot of it.
    const level = cause === 'waiting for a processor' ? 'debug' : 'warn'
    this.#logger[level]('the main thread was held up', {
      heldMs: Math.round(end - start),
      limitMs: BLOCK_LIMIT_MS,
      cause,
      collectedMs: Math.round(this.#collectedMs),
    })
    this.#collectedMs = 0
  }
}
