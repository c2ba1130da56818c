/** HyStart++ (RFC 9406, section 4.2): ends slow start when the delay rises, before the queue overflows. All in ms. */

const MIN_RTT_THRESHOLD = 4
const MAX_RTT_THRESHOLD = 16
const MIN_RTT_DIVISOR = 8
const SAMPLES_PER_ROUND = 8
const CSS_GROWTH_DIVISOR = 4
const CSS_ROUNDS = 5

export class HyStart {
  #lastRoundMin = Infinity
  #roundMin = Infinity
  #samples = 0
  #cssBaseline = Infinity
  #cssRounds = 0
  #done = false

  /** True once slow start has to end. */
  get done(): boolean {
    return this.#done
  }

  /** By how much the window's growth in slow start is divided at the moment. */
  get divisor(): number {
    return this.#cssBaseline === Infinity ? 1 : CSS_GROWTH_DIVISOR
  }

  onRound(): void {
    this.#lastRoundMin = this.#roundMin
    this.#roundMin = Infinity
    this.#samples = 0
    if (this.#cssBaseline !== Infinity && ++this.#cssRounds >= CSS_ROUNDS) this.#done = true
  }

  onRtt(sample: number): void {
    this.#roundMin = Math.min(this.#roundMin, sample)
    if (++this.#samples < SAMPLES_PER_ROUND) return
    if (this.#cssBaseline !== Infinity) {
      // The delay went back: slow start was left too early, and goes on.
      if (this.#roundMin < this.#cssBaseline) this.#cssBaseline = Infinity
      return
    }
    if (this.#lastRoundMin === Infinity) return
    const threshold = Math.min(Math.max(this.#lastRoundMin / MIN_RTT_DIVISOR, MIN_RTT_THRESHOLD), MAX_RTT_THRESHOLD)
    if (this.#roundMin >= this.#lastRoundMin + threshold) {
      this.#cssBaseline = this.#roundMin
      this.#cssRounds = 0
    }
  }
}
