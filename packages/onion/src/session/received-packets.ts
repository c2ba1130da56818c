import {
  ACK_AT_FIRST_PACKETS,
  ACK_DELAY_MS,
  ACK_EVERY,
  ACK_EVERY_AT_FIRST,
  MAX_ACK_RANGES,
  PAUSE_MS,
  SLOW_ACK_AFTER_PACKETS,
  SLOW_GAP_MS,
} from './protocol.ts'
import { RangeSet } from './range-set.ts'

/**
 * The packet numbers that came, and when an ACK for them is due (docs/specs/session.md, Acknowledgement and recovery).
 * Keeps the newest 64 ranges; what is older than these counts as come.
 */
export class ReceivedPackets {
  readonly ranges = new RangeSet()
  #floor = 0
  #largest = -1
  #largestAt = 0
  #elicitingTotal = 0
  /** Ms between those that ask for an ACK, smoothed, and when the last of them came. */
  #gap = 0
  #elicitingAt = 0
  #waiting = 0
  #waitingSince = 0
  #dueNow = false

  /** True when `number` came before, or is so old that nobody knows any more. */
  isKnown(number: number): boolean {
    return number <= this.#largest && (number < this.#floor || this.ranges.has(number))
  }

  /** Records a packet that is not known. @param now monotonic ms */
  add(number: number, eliciting: boolean, now: number): void {
    const first = this.#largest < 0
    const inOrder = first || number === this.#largest + 1
    this.ranges.add(number, number + 1)
    if (number > this.#largest) {
      this.#largest = number
      this.#largestAt = now
    }
    const { count } = this.ranges
    if (count > MAX_ACK_RANGES) this.forgetBelow(this.ranges.low(count - MAX_ACK_RANGES))
    if (!eliciting) return
    this.#elicitingTotal++
    // What comes behind a pause may come fast.
    this.#gap += (Math.min(now - this.#elicitingAt, PAUSE_MS) - this.#gap) / 8
    this.#elicitingAt = now
    if (this.#waiting++ === 0) this.#waitingSince = now
    const every = this.#elicitingTotal <= ACK_AT_FIRST_PACKETS ? ACK_EVERY_AT_FIRST : ACK_EVERY
    if (!inOrder || this.#waiting >= every) this.#dueNow = true
  }

  /** The other side knows that everything below `number` came: it need not be told again (RFC 9000, section 13.2.4). */
  forgetBelow(number: number): void {
    if (number <= this.#floor) return
    this.#floor = number
    this.ranges.remove(0, number)
  }

  get largest(): number {
    return this.#largest
  }

  /** True when something waits for an ACK, due or not. */
  get pending(): boolean {
    return this.#waiting > 0
  }

  /** @param slow ms that a packet may wait for its ACK when packets come slowly: each ACK takes a cell of every hop, as they do */
  isDue(now: number, slow: number): boolean {
    return this.#dueNow || (this.#waiting > 0 && now >= this.#waitingSince + this.#delay(slow))
  }

  /** Monotonic ms at which an ACK is due, undefined when none waits. */
  dueAt(slow: number): number | undefined {
    if (this.#waiting === 0) return undefined
    return this.#dueNow ? 0 : this.#waitingSince + this.#delay(slow)
  }

  /** A flight that is still small, as at the beginning, comes in bursts, and its sender waits for what is said of the last of them. */
  #delay(slow: number): number {
    return this.#gap >= SLOW_GAP_MS && this.#elicitingTotal > SLOW_ACK_AFTER_PACKETS ? slow : ACK_DELAY_MS
  }

  /** What the ACK says about how long the newest packet waited, µs. */
  delayUs(now: number): number {
    return Math.max(0, Math.round((now - this.#largestAt) * 1000))
  }

  acknowledged(): void {
    this.#waiting = 0
    this.#dueNow = false
  }
}
