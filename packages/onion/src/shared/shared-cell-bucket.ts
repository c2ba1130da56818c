import { PACKET_SIZE } from '../packet/sizes.ts'
import type { CellAllowance } from '../queue/cell-bucket.ts'
import { BURST_MS, MIN_BURST_CELLS } from '../queue/queue-limits.ts'
import { SharedLock } from './shared-lock.ts'

/** Places of the 64-bit floats behind the lock: when it was filled last, and the cells that may go. */
const [AT, CELLS] = [1, 2]

export function cellBucketMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(3 * Float64Array.BYTES_PER_ELEMENT)
}

/** As `CellBucket`, one for all packet workers of a node together. */
export class SharedCellBucket implements CellAllowance {
  readonly #perMs: number
  readonly #depth: number
  readonly #values: Float64Array
  readonly #lock: SharedLock
  /** Ms that this thread's clock is behind the one that all share. */
  readonly #behind: number
  #seen = 0
  #seenAt = 0

  /** @param behind ms to add to this thread's monotonic time, so that it is the same for all */
  constructor(memory: SharedArrayBuffer, bytesPerSecond: number, behind: number) {
    this.#perMs = bytesPerSecond / PACKET_SIZE / 1_000
    this.#depth = Math.max(MIN_BURST_CELLS, this.#perMs * BURST_MS)
    this.#values = new Float64Array(memory)
    this.#lock = new SharedLock(new Int32Array(memory), 0)
    this.#behind = behind
  }

  get cellMs(): number {
    return 1 / this.#perMs
  }

  available(now: number): number {
    this.#seenAt = now
    this.#seen = this.#lock.run(() => this.#fill(now + this.#behind), 0)
    return Math.max(0, Math.floor(this.#seen))
  }

  take(cells: number): void {
    if (cells === 0) return
    this.#seen -= cells
    this.#lock.run(() => {
      this.#values[CELLS] = (this.#values[CELLS] as number) - cells
    }, undefined)
  }

  /** When the next cell may go, as of the last question; another thread may take it. */
  dueAt(): number {
    return this.#seenAt + Math.max(0, (1 - this.#seen) / this.#perMs)
  }

  #fill(now: number): number {
    const since = Math.max(0, now - (this.#values[AT] as number))
    const cells = Math.min(this.#depth, (this.#values[CELLS] as number) + since * this.#perMs)
    this.#values[AT] = Math.max(now, this.#values[AT] as number)
    this.#values[CELLS] = cells
    return cells
  }
}
