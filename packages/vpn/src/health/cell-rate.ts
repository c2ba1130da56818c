import { PACKET_SIZE } from '@weft/onion'

/** ms in which what is remembered of the past falls to 1/e. */
const MEMORY_MS = 2_000

/** How fast a total of cells grows (EWMA), each as a packet on the wire has it. Times are monotonic ms. */
export class CellRate {
  bytesPerSecond: number | undefined
  #atMs: number | undefined
  #cells = 0

  /** A total that is not above the last, or not later, is passed over. */
  add(atMs: number, cells: number): void {
    const ms = this.#atMs === undefined ? undefined : atMs - this.#atMs
    if (ms !== undefined && (ms <= 0 || cells < this.#cells)) return
    if (ms !== undefined) {
      const now = ((cells - this.#cells) * PACKET_SIZE * 1_000) / ms
      const before = this.bytesPerSecond ?? now
      this.bytesPerSecond = before + (1 - Math.exp(-ms / MEMORY_MS)) * (now - before)
    }
    this.#atMs = atMs
    this.#cells = cells
  }
}
