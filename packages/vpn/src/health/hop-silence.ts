/** ms without an answer, and questions, after which a hop does not answer; it has more time where its answers take longer. */
const SILENT_MS = 1_500
const SILENT_ROUND_TRIPS = 4
const SILENT_QUESTIONS = 3
/** Round trips, and ms more, after which the answer to the last question should have come. */
const OVERDUE_ROUND_TRIPS = 1.5
const OVERDUE_MS = 50
const KEPT_QUESTIONS = 64

/** Whether hops answer, by the questions that stand since their last answers. Times are monotonic ms. */
export class HopSilence {
  readonly #asked: number[] = []
  readonly #heardMs: (number | undefined)[]
  readonly #upSince: (number | undefined)[]

  constructor(hops: number) {
    this.#heardMs = Array.from({ length: hops }, () => undefined)
    this.#upSince = Array.from({ length: hops }, () => undefined)
  }

  asked(nowMs: number): void {
    if (this.#asked.length === KEPT_QUESTIONS) this.#asked.shift()
    this.#asked.push(nowMs)
  }

  /** @param askedMs of the question that was answered */
  answered(hop: number, askedMs: number, nowMs: number): void {
    if (this.since(hop, undefined, nowMs) !== undefined) this.#upSince[hop] = undefined
    this.#upSince[hop] ??= nowMs
    this.#heardMs[hop] = Math.max(askedMs, this.#heardMs[hop] ?? 0)
  }

  /** Since when it has not answered; undefined when it does, or that is not known yet. */
  since(hop: number, rttMs: number | undefined, nowMs: number): number | undefined {
    const heard = this.#heardMs[hop]
    const open = this.#asked.filter((askedMs) => heard === undefined || askedMs > heard)
    const [first] = open
    const ms = Math.max(SILENT_MS, SILENT_ROUND_TRIPS * (rttMs ?? 0))
    return first !== undefined && open.length >= SILENT_QUESTIONS && nowMs - first >= ms ? first : undefined
  }

  /** The last question should have been answered by now: it was lost, or its answer. */
  isOverdue(hop: number, rttMs: number | undefined, nowMs: number): boolean {
    const last = this.#asked.at(-1)
    const heard = this.#heardMs[hop]
    if (last === undefined || heard === undefined || heard >= last || rttMs === undefined) return false
    return nowMs - last >= OVERDUE_ROUND_TRIPS * rttMs + OVERDUE_MS
  }

  /** ms for which it has answered; undefined when it has not yet. */
  upMs(hop: number, nowMs: number): number | undefined {
    const since = this.#upSince[hop]
    return since === undefined ? undefined : nowMs - since
  }
}
