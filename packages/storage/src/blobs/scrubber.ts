import { type Clock, type Logger, WeftError, wait } from '@weft/core'
import type { ShardName } from '../holder/shard-name.ts'
import type { BlobEntry, BlobIndex } from './blob-index.ts'

export interface ScrubLimits {
  /** Bytes that are read in a second at most. */
  readonly bytesPerSecond: number
  /** Part of the time that it reads at most: on a busy disk each read takes longer, and so does each pause. */
  readonly share: number
  /** ms from the begin of a round to that of the next. */
  readonly everyMs: number
}

export const SCRUB_LIMITS: ScrubLimits = {
  bytesPerSecond: 8 * 1024 * 1024,
  share: 1 / 10,
  everyMs: 7 * 24 * 60 * 60 * 1000,
}

export interface ScrubberParts {
  readonly index: BlobIndex
  /** Reads a shard against its checksums; what is damaged is taken care of. Resolves with whether it is whole. */
  readonly check: (entry: BlobEntry) => Promise<boolean>
  readonly clock: Clock
  readonly logger: Logger
  readonly limits: ScrubLimits
}

/** Shards that are looked up at a time. */
const PAGE = 64
/** ms between two notes of where a round is, and between two attempts on a disk that fails. */
const NOTE = 60_000
/** ms below which a pause is saved up. */
const PAUSE = 100

/** Reads all shards again and again, slowly, so that damage is found while others can still make it good. */
export class Scrubber {
  readonly #parts: ScrubberParts
  #bytes = 0

  constructor(parts: ScrubberParts) {
    this.#parts = parts
  }

  /** Bytes read since the start. */
  get bytes(): number {
    return this.#bytes
  }

  /** Runs rounds until aborted, from where the last one stopped. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#parts
    for (;;) {
      try {
        await this.#rest(signal)
        await this.#round(signal)
      } catch (error) {
        if (signal.aborted || !(error instanceof WeftError)) throw error
        logger.warn('shards could not be checked', { code: error.code, cause: error.cause })
        await wait(clock, NOTE, signal)
      }
    }
  }

  /** Reads every shard at once, without pauses. Resolves with how many were found damaged. */
  async all(signal: AbortSignal): Promise<number> {
    let damaged = 0
    for (const entry of this.#entries(undefined)) {
      if (signal.aborted) break
      if (!entry.corrupt && !(await this.#parts.check(entry))) damaged++
    }
    return damaged
  }

  /** Waits until the next round is due; one that was begun goes on. */
  async #rest(signal: AbortSignal): Promise<void> {
    const { index, clock, limits } = this.#parts
    const round = index.scrubRound()
    if (round === undefined || round.after !== undefined) return
    const left = round.startedAt + limits.everyMs - clock.now()
    // A clock that was set back must not keep it waiting for longer.
    if (left > 0) await wait(clock, Math.min(left, limits.everyMs), signal)
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { index, clock, logger } = this.#parts
    const begun = index.scrubRound()
    const startedAt = begun?.after === undefined ? clock.now() : begun.startedAt
    const finishedAt = begun?.finishedAt
    let notedAt = clock.monotonic()
    let [pause, damaged] = [0, 0]
    for (const entry of this.#entries(begun?.after)) {
      if (!entry.corrupt) {
        const before = clock.monotonic()
        if (!(await this.#parts.check(entry))) damaged++
        this.#bytes += entry.length
        pause += this.#pauseAfter(entry.length, clock.monotonic() - before)
      }
      if (pause >= PAUSE) {
        await wait(clock, pause, signal)
        pause = 0
      }
      if (clock.monotonic() - notedAt < NOTE) continue
      notedAt = clock.monotonic()
      await index.noteScrub({ after: entry.name, startedAt, finishedAt })
    }
    await index.noteScrub({ after: undefined, startedAt, finishedAt: clock.now() })
    logger.info('all shards were checked', { damaged })
  }

  /** @param took ms that the read took. */
  #pauseAfter(length: number, took: number): number {
    const { bytesPerSecond, share } = this.#parts.limits
    return Math.max((length / bytesPerSecond) * 1000 - took, took / share - took)
  }

  *#entries(after: ShardName | undefined): Generator<BlobEntry> {
    for (let last = after; ;) {
      const page = this.#parts.index.page(last, PAGE)
      yield* page
      if (page.length < PAGE) return
      last = page.at(-1)?.name
    }
  }
}
