/** Chunks in order with the number of bytes they hold; shift is O(1) amortised. */
export class ByteStreamQueue {
  #chunks: (Uint8Array | undefined)[] = []
  #head = 0
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
  }

  shift(): Uint8Array | undefined {
    const chunk = this.#chunks[this.#head]
    if (chunk === undefined) return undefined
    // The slot is emptied so that the bytes can be freed before the list is compacted.
    this.#chunks[this.#head++] = undefined
    this.#bytes -= chunk.length
    if (this.#head === this.#chunks.length) {
      this.#chunks.length = 0
      this.#head = 0
    } else if (this.#head >= 1_024) {
      this.#chunks = this.#chunks.slice(this.#head)
      this.#head = 0
    }
    return chunk
  }

  clear(): void {
    this.#chunks.length = 0
    this.#head = 0
    this.#bytes = 0
  }
}
