import { BoundedQueue, WeftError } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import type { ByteStream } from '../../src/byte-stream.ts'

const REMOTE: DidKey = SigningKey.generate().id

/** Two ends of a byte stream in memory; `capacity` chunks wait in each direction before a writer has to. */
export function memoryStreamPair(capacity = 1_000_000): [MemoryStream, MemoryStream] {
  const there = new BoundedQueue<Uint8Array>(capacity)
  const back = new BoundedQueue<Uint8Array>(capacity)
  const a = new MemoryStream(there, back)
  const b = new MemoryStream(back, there)
  a.other = b
  b.other = a
  return [a, b]
}

export class MemoryStream implements ByteStream {
  readonly remote = REMOTE
  readonly closed: Promise<void>
  readonly incoming: AsyncIterable<Uint8Array>
  other: MemoryStream | undefined
  /** Why this end was aborted by its own side. */
  abortedWith: Error | undefined
  readonly #out: BoundedQueue<Uint8Array>
  readonly #in: BoundedQueue<Uint8Array>
  readonly #close: () => void
  #halves = 2

  constructor(out: BoundedQueue<Uint8Array>, input: BoundedQueue<Uint8Array>) {
    this.#out = out
    this.#in = input
    this.incoming = input
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    this.#close = resolve
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#out.push(bytes.slice())
  }

  async closeWrite(): Promise<void> {
    this.#out.end()
    this.half()
    this.other?.half()
  }

  abort(error: Error): void {
    this.abortedWith ??= error
    const reset = new WeftError({ code: 'E_STREAM_RESET', cause: 'reset', fix: 'none' })
    this.#out.end(reset)
    this.#in.end(reset)
    this.#close()
    this.other?.drop()
  }

  drop(): void {
    this.#close()
  }

  half(): void {
    if (--this.#halves === 0) this.#close()
  }
}
