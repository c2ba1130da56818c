import type { Socket } from 'node:net'
import { SessionCode, type SessionStream } from '@weft/onion'
import { ChunkGatherer } from './chunk-gatherer.ts'
import type { FlushQueue, Flushable } from './flush-queue.ts'

/**
 * Joins a TCP socket and a stream of a session, each way with back-pressure: a socket is not read while the stream's
 * buffer is full, and the stream's window opens only by what the socket has taken.
 */
export class SocketPipe implements Flushable {
  readonly #socket: Socket
  readonly #stream: SessionStream
  readonly #queue: FlushQueue
  readonly #wake: () => void
  readonly #onOver: () => void
  readonly #gatherer = new ChunkGatherer(() => this.flush())
  #ended = false
  #socketEnded = false
  #over = false

  /**
   * @param wake tells that the session may have something to send.
   * @param onOver called once, when both ends are done with.
   */
  constructor(socket: Socket, stream: SessionStream, queue: FlushQueue, wake: () => void, onOver: () => void) {
    this.#socket = socket
    this.#stream = stream
    this.#queue = queue
    this.#wake = wake
    this.#onOver = onOver
    socket.setNoDelay(true)
    stream.handler = {
      onData: (chunk) => this.#onData(chunk),
      onEnd: () => this.#onEnd(),
      onReset: () => this.#reset(),
      onFull: () => socket.pause(),
      onDrain: () => socket.resume(),
    }
    socket.on('data', (chunk: Buffer) => this.send(chunk))
    socket.on('end', () => {
      this.#socketEnded = true
      stream.end()
      wake()
      this.#settle()
    })
    socket.on('error', () => this.#abort(SessionCode.connectionReset))
    socket.on('close', () => this.#abort(SessionCode.connectionReset))
  }

  /** Has the socket read, as soon as the stream has room. A socket is to be paused, or not connected yet, until then. */
  begin(): void {
    if (this.#stream.askRoom()) this.#socket.resume()
    else this.#socket.pause()
  }

  /** Bytes on their way from the socket to the stream. */
  send(bytes: Uint8Array): void {
    if (!this.#stream.write(bytes)) this.#socket.pause()
    this.#wake()
  }

  /** Bytes that came either way: nothing was carried while it does not change. */
  get carried(): number {
    return this.#socket.bytesRead + this.#socket.bytesWritten
  }

  /** Ends both sides, the stream with `code`. */
  abort(code: number): void {
    this.#abort(code)
    this.#socket.destroy()
  }

  flush(): boolean {
    this.#gatherer.take((bytes, give) => {
      const { length } = bytes
      this.#socket.write(bytes, (error) => {
        give()
        if (error !== null && error !== undefined) return
        this.#stream.consume(length)
        this.#wake()
      })
    })
    if (this.#ended && !this.#socket.writableEnded) this.#socket.end(() => this.#settle())
    return false
  }

  #onData(chunk: Uint8Array): void {
    this.#gatherer.push(chunk)
    this.#queue.mark(this)
  }

  #onEnd(): void {
    this.#ended = true
    this.#queue.mark(this)
  }

  /** The other side broke it off. */
  #reset(): void {
    this.#queue.remove(this)
    // A reset while the end is under way fails (uv_tcp_close_reset), and Node 26 then never closes the handle: its thread would not end.
    if (this.#socket.writableEnded) this.#socket.destroy()
    else if (!this.#socket.destroyed) this.#socket.resetAndDestroy()
    this.#finish()
  }

  #abort(code: number): void {
    if (this.#over) return
    this.#queue.remove(this)
    if (!(this.#socketEnded && this.#ended)) this.#stream.reset(code)
    // Both directions are over for the stream: bytes that the socket did not take are nobody's any more, and the session's window, which
    // is that of its other streams too, opens by them.
    else this.#stream.consume(Infinity)
    this.#wake()
    this.#finish()
  }

  #settle(): void {
    if (this.#socketEnded && this.#ended && this.#socket.writableFinished) this.#finish()
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#gatherer.drop()
    this.#onOver()
  }
}
