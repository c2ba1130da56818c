import { CODEL_INTERVAL_MS } from './queue-limits.ts'

/**
 * CoDel, Controlled Delay (RFC 8289, section 5): drops cells of a queue in which each has waited too long for a while, ever faster
 * until that is over. Asked about each cell that is about to leave.
 */
export class CoDel {
  readonly #target: number
  /** When the cells will have waited too long for an interval; 0 while they do not. */
  #firstAboveAt = 0
  #isDropping = false
  #dropNextAt = 0
  #count = 0
  #lastCount = 0

  /** @param target ms that a cell may wait at length */
  constructor(target: number) {
    this.#target = target
  }

  /**
   * Whether the cell is to be dropped.
   * @param waited ms @param behind cells of its queue behind it @param now monotonic ms
   */
  drops(waited: number, behind: number, now: number): boolean {
    if (!this.#isLate(waited, behind, now)) {
      this.#isDropping = false
      return false
    }
    if (!this.#isDropping) this.#begin(now)
    else if (now >= this.#dropNextAt) {
      this.#count++
      this.#dropNextAt = controlLaw(this.#dropNextAt, this.#count)
    } else return false
    return true
  }

  #isLate(waited: number, behind: number, now: number): boolean {
    // With at most one cell behind it no queue stands, however slow the way is.
    if (waited < this.#target || behind <= 1) {
      this.#firstAboveAt = 0
      return false
    }
    if (this.#firstAboveAt === 0) this.#firstAboveAt = now + CODEL_INTERVAL_MS
    return now >= this.#firstAboveAt
  }

  /** Goes on at about the rate that ended the last queue, if that was lately (section 5.4). */
  #begin(now: number): void {
    const before = this.#count - this.#lastCount
    const isRecent = now - this.#dropNextAt < 16 * CODEL_INTERVAL_MS
    this.#isDropping = true
    this.#count = before > 1 && isRecent ? before : 1
    this.#lastCount = this.#count
    this.#dropNextAt = controlLaw(now, this.#count)
  }
}

function controlLaw(from: number, count: number): number {
  return from + CODEL_INTERVAL_MS / Math.sqrt(count)
}
