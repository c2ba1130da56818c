/** Bytes kept for the next who gather; those of one turn beyond it are made anew. */
const KEPT_BYTES = 1024 * 1024

/** Lends the buffers in which flows gather packets for one write, so that a flow with nothing gathered has none. */
export class GatherBuffers {
  readonly #bytes: number
  readonly #free: Uint8Array[] = []
  #lent = 0

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  /** Buffers that are gathered in now. */
  get lent(): number {
    return this.#lent
  }

  /** Buffers that nobody gathers in, kept for whoever comes next. */
  get kept(): number {
    return this.#free.length
  }

  take(): Uint8Array {
    this.#lent++
    return this.#free.pop() ?? new Uint8Array(this.#bytes)
  }

  /** @param buffer one that `take` gave, and that its borrower does not use any more */
  giveBack(buffer: Uint8Array): void {
    this.#lent--
    if ((this.#free.length + 1) * this.#bytes <= KEPT_BYTES) this.#free.push(buffer)
  }
}
