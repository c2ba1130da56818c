import { MAX_ACK_RANGES } from './protocol.ts'

/** An ACK frame as it was read: ranges from the highest down, both ends included. One object is reused for all. */
export class AckFrame {
  delayUs = 0
  count = 0
  readonly #low = new Float64Array(MAX_ACK_RANGES)
  readonly #high = new Float64Array(MAX_ACK_RANGES)

  reset(delayUs: number): void {
    this.delayUs = delayUs
    this.count = 0
  }

  /** Adds a range below all that are there. */
  push(low: number, high: number): void {
    this.#low[this.count] = low
    this.#high[this.count] = high
    this.count++
  }

  low(index: number): number {
    return this.#low[index] ?? 0
  }

  high(index: number): number {
    return this.#high[index] ?? 0
  }

  get largest(): number {
    return this.high(0)
  }

  get smallest(): number {
    return this.low(this.count - 1)
  }
}
