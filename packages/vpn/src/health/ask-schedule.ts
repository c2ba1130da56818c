/** ms between two rounds of questions while cells flow, while something looks amiss, and otherwise. */
const BUSY_MS = 500
const SUSPECT_MS = 200
const IDLE_MS = 10_000
/** Cells a second, of both ways, above which they flow; questions and answers are not among them. */
const BUSY_CELLS = 20

/** When a client asks the hops of a circuit what they counted. Times are monotonic ms. */
export class AskSchedule {
  readonly #hops: number
  #askedMs: number | undefined
  #cells = 0

  constructor(hops: number) {
    this.#hops = hops
  }

  /** @param cells sent and taken over the circuit since its beginning @param isSuspect whether answers are wanted soon */
  isDue(nowMs: number, cells: number, isSuspect: boolean): boolean {
    if (this.#askedMs === undefined) return true
    const ms = nowMs - this.#askedMs
    if (ms >= IDLE_MS) return true
    // As many cells as a round has of its own, there and back over each layer of the count, are no traffic.
    const flows = cells - this.#cells - 2 * this.#hops >= (BUSY_CELLS * Math.max(ms, SUSPECT_MS)) / 1_000
    return flows && ms >= (isSuspect ? SUSPECT_MS : BUSY_MS)
  }

  asked(nowMs: number, cells: number): void {
    this.#askedMs = nowMs
    this.#cells = cells
  }
}
