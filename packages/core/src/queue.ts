import { abortError } from './error.ts'

/**
 * A bounded queue with back-pressure: `push` waits while it is full, iteration waits while it is empty.
 * `size` measures an item (default 1 each), so that a bound in bytes is possible; one item larger than the
 * capacity is let through alone rather than blocking for ever.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #items: T[] = []
  readonly #capacity: number
  readonly #sizeOf: (item: T) => number
  #size = 0
  #ended = false
  #error: Error | undefined
  #readable = Promise.withResolvers<void>()
  #writable = Promise.withResolvers<void>()

  constructor(capacity: number, sizeOf: (item: T) => number = () => 1) {
    this.#capacity = capacity
    this.#sizeOf = sizeOf
  }

  get size(): number {
    return this.#size
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Adds an item if there is room now; false when full or ended. */
  tryPush(item: T): boolean {
    const size = this.#sizeOf(item)
    if (this.#ended || (this.#size > 0 && this.#size + size > this.#capacity)) return false
    this.#items.push(item)
    this.#size += size
    this.#readable.resolve()
    return true
  }

  /** Adds an item, waiting for room. @throws WeftError E_ABORTED; the queue's error when it was ended. */
  async push(item: T, signal?: AbortSignal): Promise<void> {
    while (!this.tryPush(item)) {
      if (this.#ended) throw this.#error ?? abortError()
      this.#writable = this.#renew(this.#writable)
      await settledOrAborted(this.#writable.promise, signal)
    }
  }

  /** The next item; undefined at the end. @throws the error that ended the queue, after what was queued before it. */
  async shift(signal?: AbortSignal): Promise<T | undefined> {
    for (;;) {
      if (this.#items.length > 0) {
        const item = this.#items.shift() as T
        this.#size -= this.#sizeOf(item)
        this.#writable.resolve()
        return item
      }
      if (this.#ended) {
        if (this.#error !== undefined) throw this.#error
        return undefined
      }
      this.#readable = this.#renew(this.#readable)
      await settledOrAborted(this.#readable.promise, signal)
    }
  }

  /** Ends the queue. With an error, readers get what is queued and then the error; writers get it at once. */
  end(error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#readable.resolve()
    this.#writable.resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      if (this.#items.length === 0 && this.#ended && this.#error === undefined) return
      const item = await this.shift()
      if (item === undefined && this.#ended && this.#items.length === 0) return
      yield item as T
    }
  }

  #renew(current: PromiseWithResolvers<void>): PromiseWithResolvers<void> {
    current.resolve()
    return Promise.withResolvers<void>()
  }
}

async function settledOrAborted(promise: Promise<void>, signal?: AbortSignal): Promise<void> {
  if (signal === undefined) return promise
  if (signal.aborted) throw abortError(signal)
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(abortError(signal))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
