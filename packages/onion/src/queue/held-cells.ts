import type { Packet } from '../packet/packet.ts'
import { type CellChain, CellStore } from './cell-store.ts'

/** Cells held at most: 5.8 MB, of which one circuit alone has half. */
const MAX_HELD_CELLS = 4_096

/**
 * Cells that wait for a time, of all circuits of a node or client together: bounded, in memory that is there only while it is needed. Room is shared as in a
 * `FairQueue`: each direction of a circuit may have as many as are free then.
 */
export class HeldCells {
  readonly #store: CellStore

  /** @param capacity another number only in tests */
  constructor(capacity = MAX_HELD_CELLS) {
    this.#store = new CellStore(capacity)
  }

  get size(): number {
    return this.#store.size
  }

  /** Copies a body behind the others; false when there is no room. */
  keep(chain: CellChain, body: Uint8Array, now: number): boolean {
    if (chain.length >= this.#store.capacity - this.#store.size) return false
    this.#store.append(chain, body, now)
    return true
  }

  /** When the first cell of the chain came; only of one that has any. */
  since(chain: CellChain): number {
    return this.#store.since(chain)
  }

  /** Moves the first cell of the chain into a slot; false when there is none. */
  take(chain: CellChain, into: Packet): boolean {
    if (chain.length === 0) return false
    this.#store.shift(chain, into.body)
    return true
  }

  drop(chain: CellChain): void {
    while (chain.length > 0) this.#store.shift(chain)
  }
}
