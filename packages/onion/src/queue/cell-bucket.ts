import { PACKET_SIZE } from '../packet/sizes.ts'
import { BURST_MS, MIN_BURST_CELLS } from './queue-limits.ts'

/** An operator's limit: cells that may go. Times are monotonic ms. */
export interface CellAllowance {
  /** Ms that one cell takes. */
  readonly cellMs: number
  /** Whole cells that may go now. */
  available(now: number): number
  take(cells: number): void
  /** When the next cell may go, as of the last question. */
  dueAt(): number
}

/** A token bucket. */
export class CellBucket implements CellAllowance {
  readonly #perMs: number
  readonly #depth: number
  #cells: number
  #at: number

  constructor(bytesPerSecond: number, now: number) {
    this.#perMs = bytesPerSecond / PACKET_SIZE / 1_000
    this.#depth = Math.max(MIN_BURST_CELLS, this.#perMs * BURST_MS)
    this.#cells = this.#depth
    this.#at = now
  }

  get cellMs(): number {
    return 1 / this.#perMs
  }

  available(now: number): number {
    this.#cells = Math.min(this.#depth, this.#cells + Math.max(0, now - this.#at) * this.#perMs)
    this.#at = now
    return Math.max(0, Math.floor(this.#cells))
  }

  take(cells: number): void {
    this.#cells -= cells
  }

  dueAt(): number {
    return this.#at + Math.max(0, (1 - this.#cells) / this.#perMs)
  }
}
