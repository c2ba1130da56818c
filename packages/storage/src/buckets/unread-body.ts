/**
 * Bytes that are there to be read, and hold something until then: whoever does not read them gives them back by
 * `return()`, which a generator that was never asked for anything would not hear of.
 */
export class UnreadBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #pieces: AsyncGenerator<Uint8Array, void>
  readonly #letGo: () => void
  #state: 'unread' | 'reading' | 'over' = 'unread'

  /** @param letGo what is done in place of reading. */
  constructor(pieces: AsyncGenerator<Uint8Array, void>, letGo: () => void) {
    this.#pieces = pieces
    this.#letGo = letGo
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#state === 'over') return { done: true, value: undefined }
    this.#state = 'reading'
    const { done, value } = await this.#pieces.next()
    return done === true ? { done, value: undefined } : { done: false, value }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#state === 'unread') this.#letGo()
    if (this.#state === 'reading') await this.#pieces.return()
    this.#state = 'over'
    return { done: true, value: undefined }
  }
}
