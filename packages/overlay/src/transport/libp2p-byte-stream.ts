import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { WeftError, messageOf } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { ByteStream } from '../byte-stream.ts'
import { ByteStreamQueue } from './byte-stream-queue.ts'
import { grantWindowLazily } from './grant-window-lazily.ts'
import { READ_HIGH_WATER, READ_LOW_WATER, WRITE_CHUNK } from './limits.ts'

/**
 * Our byte stream over one of libp2p's. Reading: what arrives waits in a queue; when the queue is full the stream is
 * paused, so that the sender's window runs out. Writing: one chunk at a time, and the next only after the 'drain'
 * event, because `onDrain()` of libp2p 3.3 resolves at once after its first use and `send()` buffers without bound.
 */
export class Libp2pByteStream implements ByteStream {
  readonly remote: DidKey
  readonly closed: Promise<void>
  readonly #stream: Stream
  readonly #chunk: number
  readonly #queue = new ByteStreamQueue()
  #paused = false
  /** The other side ended its half; without it, an end of the transport is a loss, not an end. */
  #remoteEnded = false
  /** All that will ever arrive is in the queue. */
  #readable = true
  #closedNow = false
  #error: WeftError | undefined
  #waiting: PromiseWithResolvers<void> | undefined
  #drained: PromiseWithResolvers<void> | undefined
  #lastWrite: Promise<void> | undefined

  /** @param chunk bytes per write, of which two may wait to be sent */
  constructor(stream: Stream, remote: DidKey, chunk = WRITE_CHUNK) {
    this.#stream = stream
    this.#chunk = chunk
    this.remote = remote
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    grantWindowLazily(stream)
    stream.addEventListener('message', (event) => this.#onMessage(event))
    stream.addEventListener('remoteCloseWrite', () => {
      this.#remoteEnded = true
    })
    stream.addEventListener('end', () => this.#onEnd())
    stream.addEventListener('drain', () => this.#drained?.resolve())
    stream.addEventListener('close', (event) => {
      this.#onClose(event)
      resolve()
    })
    if (stream.status === 'open') {
      this.#remoteEnded = stream.remoteWriteStatus === 'closed'
      if (stream.readableEnded) this.#onEnd()
    } else {
      // Over before anyone listened: nobody can have ended it properly on our side, so it is a loss.
      this.#onClose(undefined)
      resolve()
    }
  }

  readonly incoming: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () => this.#next(),
      return: async () => ({ done: true, value: undefined }),
    }),
  }

  write(bytes: Uint8Array): Promise<void> {
    // The common case of a control stream: nothing queued, all fits, no promise chain.
    if (this.#lastWrite === undefined && bytes.length <= this.#chunk && this.#error === undefined && !this.#full()) {
      if (this.#trySend(bytes)) return Promise.resolve()
      return this.#enqueue(() => this.#untilWritable())
    }
    return this.#enqueue(() => this.#writeAll(bytes))
  }

  async closeWrite(): Promise<void> {
    await this.#enqueue(async () => {
      await this.#untilWritable()
      await this.#stream.close().catch((error: unknown) => {
        throw this.#error ?? reset(this.remote, error)
      })
    })
  }

  abort(error: Error): void {
    this.#error ??= error instanceof WeftError ? error : reset(this.remote, error)
    this.#queue.clear()
    this.#stream.abort(error)
    this.#wake()
  }

  #onMessage(event: StreamMessageEvent): void {
    const { data } = event
    if (data instanceof Uint8Array) this.#queue.push(data)
    else for (const chunk of data) this.#queue.push(chunk)
    if (!this.#paused && this.#queue.bytes >= READ_HIGH_WATER && this.#stream.readStatus === 'readable') {
      this.#paused = true
      this.#stream.pause()
    }
    this.#waiting?.resolve()
  }

  #onEnd(): void {
    this.#readable = false
    if (!this.#remoteEnded) this.#error ??= reset(this.remote, undefined)
    this.#waiting?.resolve()
  }

  #onClose(event: StreamCloseEvent | undefined): void {
    this.#closedNow = true
    if (event?.error !== undefined || !this.#remoteEnded) this.#error ??= reset(this.remote, event?.error)
    this.#wake()
  }

  #wake(): void {
    this.#waiting?.resolve()
    this.#drained?.resolve()
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const chunk = this.#queue.shift()
      if (this.#paused && this.#queue.bytes <= READ_LOW_WATER) this.#resume()
      if (chunk !== undefined) return { done: false, value: chunk }
      if (this.#error !== undefined) throw this.#error
      if (!this.#readable) return { done: true, value: undefined }
      this.#waiting = Promise.withResolvers<void>()
      await this.#waiting.promise
      this.#waiting = undefined
    }
  }

  #resume(): void {
    this.#paused = false
    // Dispatches what libp2p held back, which may fill the queue and pause again.
    if (this.#stream.readStatus === 'paused') this.#stream.resume()
  }

  #full(): boolean {
    return this.#stream.writableNeedsDrain || this.#stream.writeBufferLength > 0
  }

  /** True when it was sent and more can be; a failure is kept as the stream's error. */
  #trySend(bytes: Uint8Array): boolean {
    if (this.#error !== undefined) return false
    try {
      return this.#stream.send(bytes)
    } catch (error) {
      this.#error = reset(this.remote, error)
      return false
    }
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    const run = this.#lastWrite === undefined ? task() : this.#lastWrite.then(task)
    // Whoever waits behind this write fails by the stream's own error, not by this one's.
    const settled = run.then(
      () => {},
      () => {},
    )
    this.#lastWrite = settled
    void settled.then(() => {
      if (this.#lastWrite === settled) this.#lastWrite = undefined
    })
    return run
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    await this.#untilWritable()
    for (let at = 0; at < bytes.length; at += this.#chunk) {
      if (!this.#trySend(bytes.subarray(at, at + this.#chunk))) await this.#untilWritable()
    }
  }

  async #untilWritable(): Promise<void> {
    while (this.#full()) {
      if (this.#error !== undefined) throw this.#error
      if (this.#closedNow) throw reset(this.remote, undefined)
      this.#drained ??= Promise.withResolvers<void>()
      await this.#drained.promise
      this.#drained = undefined
    }
    if (this.#error !== undefined) throw this.#error
  }
}

function reset(remote: DidKey, origin: unknown): WeftError {
  return new WeftError({
    code: 'E_STREAM_RESET',
    cause: `The stream with ${shortId(remote)} broke off${origin === undefined ? '' : `: ${messageOf(origin)}`}.`,
    fix: 'Open a new one, to this node or to another.',
    retryable: true,
    details: { node: remote },
    origin,
  })
}
