/** Pieces that come more than so many times as fast as is claimed came together: something held them up on the way. */
const TOGETHER = 4

/**
 * How fast bytes come: the highest rate at which a whole window of them did. A connection that is new starts slowly
 * (RFC 5681, section 3.1), so that an average over all of a burst would tell its round-trip time, not its bandwidth. A window
 * begins only where no pieces were held up: those that a busy machine takes late and all at once came no faster for that.
 */
export class BurstMeter {
  readonly #window: number
  /** Bytes a ms beyond which pieces came together. */
  readonly #fastest: number
  /** When each piece came, ms, and bytes that came until then; the first piece has none, as how long it took says nothing. */
  readonly #at: number[] = []
  readonly #bytes: number[] = []
  /** Pieces with which a window may begin. */
  readonly #begins: number[] = []
  #begin = 0
  #best = 0

  /** @param window bytes @param claimed bytes a ms */
  constructor(window: number, claimed: number) {
    this.#window = window
    this.#fastest = TOGETHER * claimed
  }

  /** @param at ms of a clock that only goes forward */
  add(at: number, bytes: number): void {
    const before = this.#at.at(-1)
    const total = this.#bytes.at(-1) ?? 0
    this.#at.push(at)
    this.#bytes.push(before === undefined ? 0 : total + bytes)
    if (before === undefined) return
    const index = this.#at.length - 1
    if (bytes <= this.#fastest * (at - before)) this.#begins.push(index)
    while (this.#since(this.#begin + 1) >= this.#window) this.#begin++
    const inWindow = this.#since(this.#begin)
    if (inWindow < this.#window) return
    const ms = at - (this.#at[(this.#begins[this.#begin] ?? 1) - 1] ?? at)
    if (ms > 0) this.#best = Math.max(this.#best, inWindow / ms)
  }

  /** Bytes a ms, of the best window; 0 before one was filled. */
  get sustained(): number {
    const total = this.#bytes.at(-1) ?? 0
    // A line that is so much faster than claimed brings all pieces together.
    if (this.#begins.length === 0 && total >= this.#window) return this.#fastest
    return this.#best
  }

  /** Bytes a ms; where no window was filled, that of all that came until `now`. */
  rate(now: number): number {
    const [first] = this.#at
    if (this.sustained > 0) return this.sustained
    return first === undefined || now <= first ? 0 : (this.#bytes.at(-1) ?? 0) / (now - first)
  }

  /** Bytes of a window that begins with that one of the pieces that may begin one; -1 where there is none yet. */
  #since(begin: number): number {
    const index = this.#begins[begin]
    return index === undefined ? -1 : (this.#bytes.at(-1) ?? 0) - (this.#bytes[index - 1] ?? 0)
  }
}
