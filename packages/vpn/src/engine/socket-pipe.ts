import type { Socket } from 'node:net'
import { SessionCode, type SessionStream } from '@weft/onion'
import { CHUNK } from './chunk-pool.ts'
import type { AnswerWatch } from './answer-watch.ts'
import { cutOff } from './cut-off.ts'
import type { FlushQueue, Flushable } from './flush-queue.ts'

/** What came in a packet and has no memory, until the socket has it: a packet has at most 1,379 bytes. Of this thread. */
const LOOSE_BYTES = 2_048
let loose = Buffer.allocUnsafeSlow(LOOSE_BYTES)

/**
 * Joins a TCP socket and a stream of a session, each way with back-pressure: a socket is not read while the stream's
 * buffer is full, and the stream's window opens only by what the socket has taken. What it has not taken stays in the stream,
 * where it counts against the session's memory, but for one packet's bytes at most.
 */
export class SocketPipe implements Flushable {
  readonly #socket: Socket
  readonly #stream: SessionStream
  readonly #queue: FlushQueue
  readonly #wake: () => void
  readonly #onOver: () => void
  #watch: AnswerWatch | undefined
  /** Bytes of the write that is under way; 0: none is. */
  #underWay = 0
  /** Writes that the socket has taken at once, and has not told of yet. */
  #untold = 0
  #ended = false
  #socketEnded = false
  #over = false

  /**
   * @param wake tells that the session may have something to send.
   * @param onOver called once, when both ends are done with.
   * @param watch told of bytes each way until it has seen an answer
   */
  constructor(
    socket: Socket,
    stream: SessionStream,
    queue: FlushQueue,
    wake: () => void,
    onOver: () => void,
    watch?: AnswerWatch,
  ) {
    this.#watch = watch
    this.#socket = socket
    this.#stream = stream
    this.#queue = queue
    this.#wake = wake
    this.#onOver = onOver
    socket.setNoDelay(true)
    stream.handler = {
      onReadable: () => queue.mark(this),
      onData: (bytes) => this.#writeLoose(bytes),
      onEnd: () => this.#onEnd(),
      onReset: () => this.#reset(),
      onFull: () => socket.pause(),
      onDrain: () => socket.resume(),
    }
    // Before it tells of a resume, a socket reads, also where it was paused since: what is not wanted would come all the same.
    socket.on('resume', () => {
      if (socket.isPaused()) socket.pause()
    })
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
    this.#watch?.sent(bytes.length)
    if (!this.#stream.write(bytes)) this.#socket.pause()
    this.#wake()
  }

  /** Bytes that came either way: nothing was carried while it does not change. */
  get carried(): number {
    return this.#socket.bytesRead + this.#socket.bytesWritten
  }

  /** Breaks both sides off, the stream with `code`. */
  abort(code: number): void {
    this.#abort(code)
    cutOff(this.#socket)
  }

  flush(): boolean {
    if (this.#over) return false
    while (this.#underWay === 0 && this.#socket.writable) {
      const bytes = this.#stream.peek()
      if (bytes === undefined) break
      // No more at once: the stream's window opens with each write.
      this.#write(bytes.length > CHUNK ? bytes.subarray(0, CHUNK) : bytes)
    }
    if (this.#ended && !this.#socket.writableEnded) this.#socket.end(() => this.#settle())
    return false
  }

  #writeLoose(bytes: Uint8Array): void {
    const { length } = bytes
    if (length > LOOSE_BYTES) return this.#write(Buffer.from(bytes))
    loose.set(bytes)
    this.#write(loose.subarray(0, length))
    if (this.#underWay > 0) loose = Buffer.allocUnsafeSlow(LOOSE_BYTES)
  }

  #write(bytes: Uint8Array): void {
    this.#watch?.came()
    this.#watch = undefined
    this.#underWay = bytes.length
    this.#socket.write(bytes, this.#onWritten)
    // The system has it all; the socket tells of that later.
    if (this.#socket.writableLength > 0) return
    this.#untold++
    this.#passedOn()
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (this.#untold > 0) this.#untold--
    else if (error === null || error === undefined) {
      this.#passedOn()
      this.#queue.mark(this)
    }
  }

  #passedOn(): void {
    const bytes = this.#underWay
    this.#underWay = 0
    this.#stream.consume(bytes)
    this.#wake()
  }

  #onEnd(): void {
    this.#ended = true
    this.#queue.mark(this)
  }

  /** The other side broke it off. */
  #reset(): void {
    this.#queue.remove(this)
    cutOff(this.#socket)
    this.#finish()
  }

  #abort(code: number): void {
    if (this.#over) return
    this.#queue.remove(this)
    this.#stream.abandon(code)
    this.#wake()
    this.#finish()
  }

  #settle(): void {
    if (this.#socketEnded && this.#ended && this.#socket.writableFinished) this.#finish()
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#onOver()
  }
}
