import type { Clock } from '@weft/core'
import { PACKET_SIZE } from '@weft/onion'
import { type Traffic, cappedUse } from './capped-use.ts'

/** What a packet worker shows of its load. `cells` and `handshakes` are those since the last look. */
export interface LoadSigns extends Traffic {
  /** Part of the places for circuits, sessions and connections that are taken, 0 to 1: of the fullest kind. */
  readonly places: number
  /** Cells that wait now. */
  readonly waiting: number
  /** Cells that the queue dropped since the start. */
  readonly dropped: number
}

export interface LoadMeterInit {
  readonly clock: Clock
  readonly signs: () => LoadSigns
  /** Part of the time since the last question in which the thread was at work, 0 to 1. */
  readonly atWork: () => number
  /** What this worker may carry, bytes of packets a second; undefined for no limit. */
  readonly bytesPerSecond: number | undefined
  /** Told every second. */
  readonly onUse: (use: number) => void
}

export const SAMPLE_MS = 1_000
/** Cells that wait for so long, ms, show a node that is full; and so many dropped ones of all. CoDel lets 5 ms stand (RFC 8289). */
const FULL_DELAY_MS = 25
const FULL_DROPS = 0.05

/** Looks once a second how much of what it can a packet worker does (docs/specs/load.md, Utilisation). */
export class LoadMeter {
  readonly #init: LoadMeterInit
  #at: number
  #dropped = 0
  #cancel: () => void

  constructor(init: LoadMeterInit) {
    this.#init = init
    this.#at = init.clock.monotonic()
    // What it did before it was open is no load.
    init.atWork()
    this.#cancel = init.clock.after(SAMPLE_MS, () => this.#look())
  }

  close(): void {
    this.#cancel()
  }

  #look(): void {
    const { clock, signs, atWork, bytesPerSecond, onUse } = this.#init
    const now = clock.monotonic()
    const seconds = Math.max(0.001, (now - this.#at) / 1_000)
    this.#at = now
    const seen = signs()
    const dropped = seen.dropped - this.#dropped
    this.#dropped = seen.dropped
    const use = busiest(seen, { seconds, dropped, atWork: atWork(), bytesPerSecond })
    onUse(Math.max(seen.places, cappedUse(use, seen)))
    this.#cancel = clock.after(SAMPLE_MS, () => this.#look())
  }
}

interface Interval {
  readonly seconds: number
  readonly dropped: number
  readonly atWork: number
  readonly bytesPerSecond: number | undefined
}

/** What circuits cause, 0 to 1: by the thread's time, by the operator's limit, by what waits, by what was dropped; the most of them. */
function busiest({ cells, waiting }: LoadSigns, { seconds, dropped, atWork, bytesPerSecond }: Interval): number {
  const moved = cells.reduce((sum, each) => sum + each, 0)
  const ofLimit = bytesPerSecond === undefined ? 0 : (moved * PACKET_SIZE) / seconds / bytesPerSecond
  const delayMs = waiting === 0 ? 0 : (waiting * seconds * 1_000) / Math.max(1, moved)
  const ofDrops = dropped === 0 ? 0 : dropped / (moved + dropped) / FULL_DROPS
  return Math.min(1, Math.max(atWork, ofLimit, delayMs / FULL_DELAY_MS, ofDrops))
}
