import { BODY_SIZE } from '../packet/sizes.ts'

/** Cells of one piece of memory: 360 kB. */
const SLAB_CELLS = 256
/** Pieces that stay when nothing waits: bursts of so many cells make none anew. */
const KEPT_SLABS = 4
const NONE = -1

/** Cells of a flow, first in, first out: places in a {@link CellStore}, chained. */
export interface CellChain {
  head: number
  tail: number
  length: number
}

export function newChain(): CellChain {
  return { head: NONE, tail: NONE, length: 0 }
}

/**
 * Bodies of cells that wait, with the time they came: places for a fixed number, in memory that is there only while it is needed.
 * Nothing is allocated for a cell.
 */
export class CellStore {
  readonly capacity: number
  readonly #next: Int32Array
  readonly #times: Float64Array
  readonly #slabs: Uint8Array[][] = []
  #used = 0
  /** Places from here on were never used. */
  #unused = 0
  #free = NONE

  constructor(capacity: number) {
    this.capacity = capacity
    this.#next = new Int32Array(capacity)
    this.#times = new Float64Array(capacity)
  }

  /** Cells in it. */
  get size(): number {
    return this.#used
  }

  /** Copies a body behind the others of a chain; only while there is room. */
  append(chain: CellChain, body: Uint8Array, now: number): void {
    const place = this.#take()
    this.#body(place).set(body)
    this.#times[place] = now
    this.#next[place] = NONE
    if (chain.length === 0) chain.head = place
    else this.#next[chain.tail] = place
    chain.tail = place
    chain.length++
  }

  /** When the first cell of a chain came; only of one that has any. */
  since(chain: CellChain): number {
    return this.#times[chain.head] as number
  }

  /** Takes the first cell of a chain out. @param into where its body is copied to; left out, it is dropped. */
  shift(chain: CellChain, into?: Uint8Array): void {
    const place = chain.head
    into?.set(this.#body(place))
    chain.head = this.#next[place] as number
    chain.length--
    this.#next[place] = this.#free
    this.#free = place
    this.#used--
    if (this.#used === 0) this.#shrink()
  }

  #take(): number {
    this.#used++
    if (this.#free === NONE) return this.#unused++
    const place = this.#free
    this.#free = this.#next[place] as number
    return place
  }

  #body(place: number): Uint8Array {
    const index = Math.floor(place / SLAB_CELLS)
    const slab = (this.#slabs[index] ??= newSlab())
    return slab[place % SLAB_CELLS] as Uint8Array
  }

  /** Some stay for the next cells. */
  #shrink(): void {
    this.#slabs.length = Math.min(KEPT_SLABS, this.#slabs.length)
    this.#unused = 0
    this.#free = NONE
  }
}

function newSlab(): Uint8Array[] {
  const memory = new ArrayBuffer(SLAB_CELLS * BODY_SIZE)
  return Array.from({ length: SLAB_CELLS }, (_, at) => new Uint8Array(memory, at * BODY_SIZE, BODY_SIZE))
}
