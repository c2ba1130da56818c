/** Newest values that are held against earlier ones, and how many of these there are at least and at most. */
const NEWEST = 6
const MIN_EARLIER = 20
const MAX_EARLIER = 40
/** Chance that the test finds a delay where there is none. */
const CHANCE = 1e-5
/** ms that a delay has to have to be named, and below which it is over, both beyond what the step varies by itself. */
const NAMED_MS = 10
const OVER_MS = 5
/** ms after which a delay that stays is what the way has. */
const USUAL_AFTER_MS = 60_000
/** Of the estimators: RFC 6298, section 2, for the mean, RFC 3550, section 6.4.1, for jitter. */
const LATENCY_GAIN = 1 / 8
const JITTER_GAIN = 1 / 16

/** A delay that was not there before. */
export interface AddedDelay {
  readonly addedMs: number
  readonly sinceMs: number
}

/**
 * Times that one step of the way takes, there and back. That a delay was added is found by ranks (the precedence test of Nelson, 1963):
 * the newest values all lie above all of the earlier but a few, which by chance alone, whatever the distribution, happens in one of
 * 100,000 looks at most if values come independently of each other. Times are monotonic ms.
 */
export class DelaySeries {
  latencyMs: number | undefined
  /** The mean deviation between values that follow each other. */
  jitterMs: number | undefined
  added: AddedDelay | undefined
  /** ms by which the step may be slower at one time than at another, with no delay added. */
  readonly #variesMs: number
  readonly #earlier: number[] = []
  readonly #newest: number[] = []
  #last: number | undefined

  /** @param variesMs of a tier's own delays, at most */
  constructor(variesMs = 0) {
    this.#variesMs = variesMs
  }

  add(ms: number, nowMs: number): void {
    this.latencyMs = this.latencyMs === undefined ? ms : this.latencyMs + LATENCY_GAIN * (ms - this.latencyMs)
    if (this.#last !== undefined)
      this.jitterMs = (this.jitterMs ?? 0) + JITTER_GAIN * (Math.abs(ms - this.#last) - (this.jitterMs ?? 0))
    this.#last = ms
    this.#newest.push(ms)
    if (this.#newest.length > NEWEST) {
      const aged = this.#newest.shift() as number
      // What is compared with stays as it was while a delay is found.
      if (this.added === undefined) this.#earlier.push(aged)
      if (this.#earlier.length > MAX_EARLIER) this.#earlier.shift()
    }
    this.#look(nowMs)
  }

  /** The newest value is above nearly all earlier ones: the next ones are worth having soon. */
  get isSuspect(): boolean {
    if (this.added !== undefined || this.#earlier.length < MIN_EARLIER || this.#last === undefined) return false
    return this.#last - (this.#earlier.toSorted(ascending).at(-2) as number) >= this.#namedMs
  }

  get #namedMs(): number {
    return this.#variesMs + NAMED_MS
  }

  #look(nowMs: number): void {
    if (this.#earlier.length < MIN_EARLIER || this.#newest.length < NEWEST) return
    const addedMs = median(this.#newest) - median(this.#earlier)
    if (this.added !== undefined) {
      if (addedMs < this.#variesMs + OVER_MS) this.added = undefined
      else if (nowMs - this.added.sinceMs >= USUAL_AFTER_MS) {
        this.added = undefined
        this.#earlier.length = 0
      } else this.added = { ...this.added, addedMs }
    } else if (addedMs >= this.#namedMs && this.#isAbove()) this.added = { addedMs, sinceMs: nowMs }
  }

  #isAbove(): boolean {
    const least = Math.min(...this.#newest)
    const above = this.#earlier.filter((value) => value >= least).length
    return chanceAbove(this.#earlier.length, NEWEST, above) <= CHANCE
  }
}

/** The chance that of `earlier` + `newest` values in random order at most `above` of the earlier lie above the least of the newest. */
function chanceAbove(earlier: number, newest: number, above: number): number {
  let chance = 1
  for (let i = 0; i < newest; i++) chance *= (newest + above - i) / (earlier + newest - i)
  return chance
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted(ascending)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[half] as number)
    : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2
}

function ascending(a: number, b: number): number {
  return a - b
}
