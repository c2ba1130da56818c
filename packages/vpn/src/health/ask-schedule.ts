/** ms between two rounds of questions while cells flow, while something looks amiss, and otherwise. */
const BUSY_MS = 500
const SUSPECT_MS = 200
const IDLE_MS = 10_000
/** Cells a second, of both ways, above which they flow; questions and answers are not among them. */
const BUSY_CELLS = 20

/** When a client asks the hops of a circuit what they counted. Times are monotonic ms. */
export class AskSchedule {
  readonly #hops: number
  readonly #asksOnce: boolean
  #askedMs: number | undefined
  #cells = 0
  /** Cells flowed when it was asked last. */
  #flowed = false

  /** @param asksOnce more when cells flow no longer: whether they stopped by themselves is not known otherwise */
  constructor(hops: number, asksOnce = false) {
    this.#hops = hops
    this.#asksOnce = asksOnce
  }

  /** @param cells sent and taken over the circuit since its beginning @param isSuspect whether answers are wanted soon */
  isDue(nowMs: number, cells: number, isSuspect: boolean): boolean {
    if (this.#askedMs === undefined) return true
    const ms = nowMs - this.#askedMs
    if (ms >= IDLE_MS) return true
    return this.#flows(ms, cells) ? ms >= (isSuspect ? SUSPECT_MS : BUSY_MS) : this.#flowed && ms >= BUSY_MS
  }

  asked(nowMs: number, cells: number): void {
    this.#flowed = this.#asksOnce && this.#askedMs !== undefined && this.#flows(nowMs - this.#askedMs, cells)
    this.#askedMs = nowMs
    this.#cells = cells
  }

  /** As many cells as a round has of its own, there and back over each layer of the count, are no traffic. */
  #flows(ms: number, cells: number): boolean {
    return cells - this.#cells - 2 * this.#hops >= (BUSY_CELLS * Math.max(ms, SUSPECT_MS)) / 1_000
  }
}
