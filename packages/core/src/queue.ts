import { abortError } from './error.ts'

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void
  readonly reject: (error: Error) => void
}

interface Writer<T> {
  readonly item: T
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * A bounded queue with back-pressure: `push` waits while it is full, iteration waits while it is empty, each first come
 * first served. `size` measures an item (default 1 each), so that a bound in bytes is possible; one item larger than
 * the capacity is let through alone rather than blocking for ever.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #items: T[] = []
  readonly #capacity: number
  readonly #sizeOf: (item: T) => number
  /** An item goes straight to whom it is for: a woken waiter never has to look again and wait anew. */
  readonly #readers: Reader<T>[] = []
  readonly #writers: Writer<T>[] = []
  #size = 0
  #ended = false
  #error: Error | undefined

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

  /** Adds an item if there is room now and nobody waits for it; false otherwise, and when ended. */
  tryPush(item: T): boolean {
    if (this.#ended || this.#writers.length > 0) return false
    return this.#add(item)
  }

  /** Adds an item, waiting for room. @throws WeftError E_ABORTED; the queue's error when it was ended. */
  async push(item: T, signal?: AbortSignal): Promise<void> {
    if (this.tryPush(item)) return
    if (this.#ended) throw this.#error ?? abortError()
    await waitIn<Writer<T>, void>(this.#writers, signal, (resolve, reject) => ({ item, resolve, reject }))
  }

  /** The next item; undefined at the end. @throws the error that ended the queue, after what was queued before it. */
  async shift(signal?: AbortSignal): Promise<T | undefined> {
    return (await this.#take(signal)).value
  }

  /** Ends the queue. With an error, readers get what is queued and then the error; writers get it at once. */
  end(error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    for (const { reject } of this.#writers.splice(0)) reject(error ?? abortError())
    for (const { resolve, reject } of this.#readers.splice(0)) {
      if (error === undefined) resolve({ done: true, value: undefined })
      else reject(error)
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, undefined> {
    for (;;) {
      const result = await this.#take()
      if (result.done === true) return
      yield result.value
    }
  }

  async #take(signal?: AbortSignal): Promise<IteratorResult<T, undefined>> {
    if (this.#items.length > 0) {
      const value = this.#items.shift() as T
      this.#size -= this.#sizeOf(value)
      this.#admitWriters()
      return { done: false, value }
    }
    if (this.#ended) {
      if (this.#error !== undefined) throw this.#error
      return { done: true, value: undefined }
    }
    return waitIn<Reader<T>, IteratorResult<T, undefined>>(this.#readers, signal, (resolve, reject) => ({
      resolve,
      reject,
    }))
  }

  /** To the first reader that waits, else into the queue; false when there is no room. */
  #add(item: T): boolean {
    const reader = this.#readers.shift()
    if (reader !== undefined) {
      reader.resolve({ done: false, value: item })
      return true
    }
    const size = this.#sizeOf(item)
    if (this.#size > 0 && this.#size + size > this.#capacity) return false
    this.#items.push(item)
    this.#size += size
    return true
  }

  #admitWriters(): void {
    for (let first = this.#writers[0]; first !== undefined && this.#add(first.item); first = this.#writers[0]) {
      this.#writers.shift()
      first.resolve()
    }
  }
}

/** Stands in a line until somebody resolves or rejects; an abort leaves the line. @throws WeftError E_ABORTED */
function waitIn<Waiter, Result>(
  line: Waiter[],
  signal: AbortSignal | undefined,
  waiterOf: (resolve: (result: Result) => void, reject: (error: Error) => void) => Waiter,
): Promise<Result> {
  if (signal?.aborted === true) throw abortError(signal)
  const { promise, resolve, reject } = Promise.withResolvers<Result>()
  const leave = (): void => signal?.removeEventListener('abort', onAbort)
  const waiter = waiterOf(
    (result) => {
      leave()
      resolve(result)
    },
    (error) => {
      leave()
      reject(error)
    },
  )
  const onAbort = (): void => {
    line.splice(line.indexOf(waiter), 1)
    reject(abortError(signal))
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  line.push(waiter)
  return promise
}
