import { CHUNK, ChunkPool } from './chunk-pool.ts'

/** Of this thread. */
const chunks = new ChunkPool()

/** Gathers what comes in small pieces, so that it goes on in few and large ones. */
export class ChunkGatherer {
  readonly #onFull: () => void
  #chunk: Buffer | undefined
  #length = 0

  /** @param onFull has to call {@link take}; there is no room before */
  constructor(onFull: () => void) {
    this.#onFull = onFull
  }

  push(bytes: Uint8Array): void {
    let from = 0
    while (from < bytes.length) {
      const chunk = (this.#chunk ??= chunks.take())
      const count = Math.min(CHUNK - this.#length, bytes.length - from)
      chunk.set(bytes.subarray(from, from + count), this.#length)
      this.#length += count
      from += count
      if (this.#length === CHUNK) this.#onFull()
    }
  }

  /** Hands out what was gathered, if anything was. @param use `bytes` are its own until it calls `give` */
  take(use: (bytes: Buffer, give: () => void) => void): void {
    const chunk = this.#chunk
    if (chunk === undefined) return
    const bytes = chunk.subarray(0, this.#length)
    this.#chunk = undefined
    this.#length = 0
    use(bytes, () => chunks.give(chunk))
  }

  /** Forgets what was gathered. */
  drop(): void {
    this.take((_, give) => give())
  }
}
