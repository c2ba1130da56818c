/** Places that a set has from the start, and what one takes. */
const FIRST_PLACES = 8
const PLACE_BYTES = 16

/** A sorted set of half-open ranges [low, high) of safe integers that do not touch. Adding at the top costs O(1). */
export class RangeSet {
  #low = new Float64Array(FIRST_PLACES)
  #high = new Float64Array(FIRST_PLACES)
  #count = 0

  get count(): number {
    return this.#count
  }

  low(index: number): number {
    return this.#low[index] ?? 0
  }

  high(index: number): number {
    return this.#high[index] ?? 0
  }

  /** Bytes of places beyond the first ones that it has when it holds `count` ranges, if not more before. */
  growth(count: number): number {
    let places = this.#low.length
    while (places < count) places *= 2
    return (places - FIRST_PLACES) * PLACE_BYTES
  }

  /** Has no more than its first places then. */
  clear(): void {
    this.#count = 0
    if (this.#low.length === FIRST_PLACES) return
    this.#low = new Float64Array(FIRST_PLACES)
    this.#high = new Float64Array(FIRST_PLACES)
  }

  /** Index of the first range that ends above `value` (count when none does). */
  #firstAbove(value: number): number {
    let from = 0
    let to = this.#count
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.high(middle) > value) to = middle
      else from = middle + 1
    }
    return from
  }

  has(value: number): boolean {
    const at = this.#firstAbove(value)
    return at < this.#count && this.low(at) <= value
  }

  add(low: number, high: number): void {
    if (low >= high) return
    const top = this.#count - 1
    if (top < 0 || low > this.high(top)) return this.#insert(top + 1, low, high)
    if (low >= this.low(top)) {
      if (high > this.high(top)) this.#high[top] = high
      return
    }
    // All ranges that touch [low, high) become one.
    const from = this.#firstAbove(low - 1)
    let to = from
    let newHigh = high
    while (to < this.#count && this.low(to) <= high) newHigh = Math.max(newHigh, this.high(to++))
    if (to === from) return this.#insert(from, low, high)
    this.#low[from] = Math.min(low, this.low(from))
    this.#high[from] = newHigh
    this.#delete(from + 1, to)
  }

  remove(low: number, high: number): void {
    if (low >= high || this.#count === 0) return
    let from = this.#firstAbove(low)
    if (from === this.#count || this.low(from) >= high) return
    if (this.low(from) < low) {
      const end = this.high(from)
      this.#high[from] = low
      from++
      if (end > high) return this.#insert(from, high, end)
    }
    let to = from
    while (to < this.#count && this.high(to) <= high) to++
    if (to < this.#count && this.low(to) < high) this.#low[to] = high
    this.#delete(from, to)
  }

  #insert(at: number, low: number, high: number): void {
    if (this.#count === this.#low.length) {
      const lows = new Float64Array(this.#count * 2)
      const highs = new Float64Array(this.#count * 2)
      lows.set(this.#low)
      highs.set(this.#high)
      this.#low = lows
      this.#high = highs
    }
    if (at < this.#count) {
      this.#low.copyWithin(at + 1, at, this.#count)
      this.#high.copyWithin(at + 1, at, this.#count)
    }
    this.#low[at] = low
    this.#high[at] = high
    this.#count++
  }

  #delete(from: number, to: number): void {
    if (from === to) return
    this.#low.copyWithin(from, to, this.#count)
    this.#high.copyWithin(from, to, this.#count)
    this.#count -= to - from
  }
}
