import { WeftError } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import { type ByteStream, ByteStreamQueue } from '@weft/overlay'
import type { Connection, ConnectionEnd } from './connection.ts'

/** Bytes that a stream has under way or unread before its writer has to wait: the window of the real one. */
const WINDOW = 1024 * 1024

/** One half of a byte stream over a simulated connection. What is written is not copied: nobody changes it afterwards. */
export class SimulatedStream implements ByteStream {
  readonly remote: DidKey
  readonly closed: Promise<void>
  readonly #connection: Connection
  readonly #end: ConnectionEnd
  readonly #queue = new ByteStreamQueue()
  readonly #over = Promise.withResolvers<void>()
  readonly #forget: () => void = () => {}
  #other: SimulatedStream | undefined
  /** Bytes that were written here and that the other side has not read. */
  #unread = 0
  #wroteAll = false
  #readAll = false
  #error: WeftError | undefined
  #arrived: (() => void) | undefined
  #roomier: (() => void) | undefined

  /** Both halves: that of the side that opens the stream, and that of the other. */
  static pair(connection: Connection, near: ConnectionEnd, far: ConnectionEnd): [SimulatedStream, SimulatedStream] {
    const halves: [SimulatedStream, SimulatedStream] = [
      new SimulatedStream(connection, near, far.id),
      new SimulatedStream(connection, far, near.id),
    ]
    halves[0].#other = halves[1]
    halves[1].#other = halves[0]
    return halves
  }

  private constructor(connection: Connection, end: ConnectionEnd, remote: DidKey) {
    this.#connection = connection
    this.#end = end
    this.remote = remote
    this.closed = this.#over.promise
    this.#forget = connection.onClose(end, () => this.#fail(undefined))
  }

  readonly incoming: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () => this.#next(),
      return: async () => ({ done: true, value: undefined }),
    }),
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#requireWritable()
    while (this.#unread >= WINDOW) {
      await new Promise<void>((resolve) => (this.#roomier = resolve))
      this.#requireWritable()
    }
    this.#unread += bytes.length
    this.#connection.send(
      this.#end,
      bytes.length,
      this.#atOther((other) => other.#receive(bytes)),
    )
  }

  async closeWrite(): Promise<void> {
    if (this.#error !== undefined) throw this.#error
    if (this.#wroteAll) return
    this.#wroteAll = true
    this.#connection.send(
      this.#end,
      0,
      this.#atOther((other) => other.#endReading()),
    )
    this.#settle()
  }

  abort(error: Error): void {
    if (this.#error !== undefined || (this.#wroteAll && this.#readAll)) return
    this.#connection.send(
      this.#end,
      0,
      this.#atOther((other) => other.#fail(undefined)),
    )
    this.#fail(error)
  }

  /** Something to do at the other half, later. */
  #atOther(task: (other: SimulatedStream) => void): () => void {
    const other = this.#other
    return () => {
      if (other !== undefined) task(other)
    }
  }

  #requireWritable(): void {
    if (this.#error !== undefined) throw this.#error
    if (this.#wroteAll) throw reset(this.remote, undefined)
  }

  #receive(bytes: Uint8Array): void {
    if (this.#error !== undefined || this.#readAll) return
    this.#queue.push(bytes)
    this.#wake()
  }

  #endReading(): void {
    this.#readAll = true
    this.#wake()
    this.#settle()
  }

  #fail(error: Error | undefined): void {
    if (this.#error !== undefined || (this.#wroteAll && this.#readAll)) return
    this.#error = error instanceof WeftError ? error : reset(this.remote, error)
    this.#queue.clear()
    this.#wake()
    this.#roomier?.()
    this.#forget()
    this.#over.resolve()
  }

  #settle(): void {
    if (!this.#wroteAll || !this.#readAll) return
    this.#forget()
    this.#over.resolve()
  }

  #wake(): void {
    this.#arrived?.()
    this.#arrived = undefined
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const chunk = this.#queue.shift()
      if (chunk !== undefined) {
        this.#atOther((other) => other.#onRead(chunk.length))()
        return { done: false, value: chunk }
      }
      if (this.#error !== undefined) throw this.#error
      if (this.#readAll) return { done: true, value: undefined }
      await new Promise<void>((resolve) => (this.#arrived = resolve))
    }
  }

  /** The window is granted at once: its way back is not what limits a stream of calls. */
  #onRead(bytes: number): void {
    this.#unread -= bytes
    if (this.#unread >= WINDOW) return
    this.#roomier?.()
    this.#roomier = undefined
  }
}

function reset(remote: DidKey, origin: unknown): WeftError {
  return new WeftError({
    code: 'E_STREAM_RESET',
    cause: `The stream with ${shortId(remote)} broke off.`,
    fix: 'Open a new one, to this node or to another.',
    retryable: true,
    origin,
  })
}
