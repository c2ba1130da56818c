import { Duplex } from 'node:stream'
import type { MessagePort } from 'node:worker_threads'
import { PORT_CREDIT, type PortMessage } from '../engine/port-pipe.ts'

/** Bytes that were taken before the other end is told. */
const TELL_BYTES = 128 * 1024
/** Bytes that wait for a reader; and that wait to be sent, which are few for the reason of {@link PORT_CREDIT}. */
const READ_BUFFER = 256 * 1024
const WRITE_BUFFER = 32 * 1024

/** The main thread's end of a stream that the packet thread carries, with back-pressure both ways ({@link PortMessage}). */
export class PortDuplex extends Duplex {
  readonly #port: MessagePort
  /** Bytes that the other end lets this one send. */
  #credit = PORT_CREDIT
  #waiting: (() => void) | undefined
  /** Bytes that came while nobody read, and that were read and are not granted again. */
  readonly #held: Uint8Array[] = []
  #wanted = false
  #taken = 0
  #ended = false

  constructor(port: MessagePort) {
    super({ readableHighWaterMark: READ_BUFFER, writableHighWaterMark: WRITE_BUFFER, emitClose: true })
    this.#port = port
    port.on('message', (message: PortMessage) => this.#onMessage(message))
    port.on('close', () => {
      // What came before the end is still to be read.
      if (!this.#ended) this.destroy(new Error('the stream over the route broke off'))
    })
  }

  override _read(): void {
    this.#wanted = true
    this.#pass()
  }

  override _write(chunk: Uint8Array, _: string, done: (error?: Error | null) => void): void {
    // A copy, which is moved: what a writer hands over may be part of something larger.
    const bytes = new Uint8Array(chunk)
    this.#credit -= bytes.length
    this.#port.postMessage(bytes, [bytes.buffer])
    if (this.#credit > 0) done()
    else this.#waiting = done
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#port.postMessage('end')
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#port.postMessage('reset')
    this.#port.close()
    this.#held.length = 0
    done(error)
  }

  #onMessage(message: PortMessage): void {
    if (message instanceof Uint8Array) {
      this.#held.push(message)
      this.#pass()
    } else if (typeof message === 'number') {
      this.#credit += message
      const done = this.#waiting
      if (this.#credit <= 0 || done === undefined) return
      this.#waiting = undefined
      done()
    } else if (message === 'end') {
      this.#ended = true
      this.#pass()
    } else this.destroy(new Error('the stream over the route broke off'))
  }

  #pass(): void {
    while (this.#wanted) {
      const bytes = this.#held.shift()
      if (bytes === undefined) break
      this.#taken += bytes.length
      this.#wanted = this.push(bytes)
    }
    if (this.#taken >= TELL_BYTES || (this.#taken > 0 && this.#held.length === 0)) {
      this.#port.postMessage(this.#taken)
      this.#taken = 0
    }
    if (this.#ended && this.#held.length === 0 && this.#wanted) {
      this.#wanted = false
      this.push(null)
    }
  }
}
