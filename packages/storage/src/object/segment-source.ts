import { WeftError, orAborted } from '@weft/core'
import { SEGMENT_PLAINTEXT } from './object-layout.ts'
import type { SharedBytes } from './coding-job.ts'

export interface SegmentPiece {
  /** The plaintext of one segment, a view of the buffer that was given. */
  readonly plaintext: SharedBytes
  readonly last: boolean
}

/** Cuts a stream of unknown length into the plaintexts of segments, reading no more than it hands out. */
export class SegmentSource implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #expected: number | undefined
  #rest: Uint8Array = new Uint8Array(0)
  #ended = false
  #reading = false
  #read = 0

  /** @param expected bytes that the source says it has; another number is an error. */
  constructor(source: AsyncIterable<Uint8Array>, expected?: number) {
    this.#chunks = source[Symbol.asyncIterator]()
    this.#expected = expected
  }

  /** Bytes read from the source so far. */
  get bytesRead(): number {
    return this.#read
  }

  /** Bytes that a buffer needs to hold the next piece, or the most a segment can have when that is not known. */
  get nextLength(): number {
    const given = this.#read - this.#rest.length
    return Math.min(SEGMENT_PLAINTEXT, this.#expected === undefined ? Infinity : Math.max(1, this.#expected - given))
  }

  /**
   * Fills the buffer as far as the source goes; one call at a time. @param buffer at least `nextLength` bytes.
   * @throws WeftError E_PUT_SIZE when the source is not as long as announced, E_ABORTED; whatever the source throws.
   */
  async next(buffer: SharedBytes, signal: AbortSignal): Promise<SegmentPiece> {
    let at = 0
    while (at < buffer.length && (await this.#fill(signal))) {
      const part = this.#rest.subarray(0, buffer.length - at)
      buffer.set(part, at)
      at += part.length
      this.#rest = this.#rest.subarray(part.length)
    }
    const last = !(await this.#fill(signal))
    if (last && this.#expected !== undefined && this.#read !== this.#expected)
      throw wrongSize(this.#expected, this.#read)
    return { plaintext: buffer.subarray(0, at), last }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    const returned = this.#chunks.return?.()
    // A generator that is waiting for its own source returns only after it; the put must not wait for that.
    if (this.#reading) returned?.catch(() => {})
    else await returned
  }

  /** Makes sure that there are bytes in hand; false at the end of the source. */
  async #fill(signal: AbortSignal): Promise<boolean> {
    while (this.#rest.length === 0 && !this.#ended) {
      this.#reading = true
      const next = await orAborted(this.#chunks.next(), signal)
      this.#reading = false
      if (next.done === true) {
        this.#ended = true
        break
      }
      this.#rest = next.value
      this.#read += next.value.length
      if (this.#expected !== undefined && this.#read > this.#expected) throw wrongSize(this.#expected, this.#read)
    }
    return this.#rest.length > 0
  }
}

function wrongSize(expected: number, given: number): WeftError {
  return new WeftError({
    code: 'E_PUT_SIZE',
    cause: `The source announced ${expected} bytes and gave ${given < expected ? `only ${given}` : 'more'}.`,
    fix: 'The file may have changed while it was read; put it again.',
    details: { expected, given },
  })
}
