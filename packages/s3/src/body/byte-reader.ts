/** Lines and runs of bytes out of a stream of pieces, one piece held at a time. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>
  #piece: Uint8Array = new Uint8Array(0)
  #at = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** 1 to `most` bytes; undefined at the end. */
  async some(most: number): Promise<Uint8Array | undefined> {
    if (!(await this.#fill())) return undefined
    const end = Math.min(this.#at + most, this.#piece.length)
    const out = this.#piece.subarray(this.#at, end)
    this.#at = end
    return out
  }

  /**
   * Without its CR LF, a character for each byte; undefined where it is longer than `most`, does not end, or has a bare LF.
   * @param lenient takes a bare LF for an end
   */
  async line(most: number, lenient = false): Promise<string | undefined> {
    let out = ''
    while (await this.#fill()) {
      const at = this.#piece.indexOf(0x0a, this.#at)
      const end = at < 0 ? this.#piece.length : at + 1
      if (out.length + end - this.#at > most + 2) return undefined
      out += Buffer.from(this.#piece.buffer, this.#piece.byteOffset + this.#at, end - this.#at).toString('latin1')
      this.#at = end
      if (at < 0) continue
      if (out.endsWith('\r\n')) return out.slice(0, -2)
      return lenient ? out.slice(0, -1) : undefined
    }
    return undefined
  }

  async atEnd(): Promise<boolean> {
    return !(await this.#fill())
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }

  async #fill(): Promise<boolean> {
    while (this.#at >= this.#piece.length) {
      const next = await this.#source.next()
      if (next.done === true) return false
      this.#piece = next.value
      this.#at = 0
    }
    return true
  }
}
