import type { MessagePort } from 'node:worker_threads'
import { SessionCode, type SessionStream } from '@weft/onion'
import { ChunkGatherer } from './chunk-gatherer.ts'
import { CHUNK } from './chunk-pool.ts'
import type { FlushQueue, Flushable } from './flush-queue.ts'

/**
 * What crosses a port between the packet thread and the main thread, either way: bytes, moved and not copied; a number, that many bytes
 * were taken at the other end; `end`, no more bytes come; `reset`, both directions are over.
 */
export type PortMessage = Uint8Array | number | 'end' | 'reset'

/**
 * Bytes that the main thread may send beyond what the stream had room for. They wait in front of pings of the connection that is inside,
 * which a slow route must carry in time (docs/specs/liveness.md), so there are few.
 */
export const PORT_CREDIT = 64 * 1024

/**
 * Joins a stream of a session and a port to the main thread, each way with back-pressure: the stream's window opens by what the other
 * end has taken, and bytes from there are granted only while the stream has room.
 */
export class PortPipe implements Flushable {
  readonly #port: MessagePort
  readonly #stream: SessionStream
  readonly #queue: FlushQueue
  readonly #wake: () => void
  readonly #onOver: () => void
  readonly #gatherer = new ChunkGatherer(() => this.#post())
  /** Bytes that came from the port and are not granted again. */
  #owed = 0
  #isFull = false
  #streamEnded = false
  #portEnded = false
  #over = false

  /**
   * @param wake tells that the session may have something to send.
   * @param onOver called once, when both ends are done with.
   */
  constructor(port: MessagePort, stream: SessionStream, queue: FlushQueue, wake: () => void, onOver: () => void) {
    this.#port = port
    this.#stream = stream
    this.#queue = queue
    this.#wake = wake
    this.#onOver = onOver
    stream.handler = {
      onData: (chunk) => this.#onData(chunk),
      onEnd: () => {
        this.#streamEnded = true
        queue.mark(this)
      },
      onReset: () => this.#end('reset'),
      onDrain: () => {
        this.#isFull = false
        this.#grant()
      },
    }
    port.on('message', (message: PortMessage) => this.#onMessage(message))
    port.on('close', () => this.#onClose())
  }

  flush(): boolean {
    if (this.#over) return false
    this.#post()
    if (this.#streamEnded) {
      this.#send('end')
      this.#settle()
    }
    return false
  }

  #onData(chunk: Uint8Array): void {
    this.#gatherer.push(chunk)
    this.#queue.mark(this)
  }

  /** Hands over what was gathered; the other end owns it then. */
  #post(): void {
    this.#gatherer.take((gathered, give) => {
      const bytes = new Uint8Array(gathered)
      give()
      this.#send(bytes)
    })
  }

  #send(message: PortMessage): void {
    this.#port.postMessage(message, message instanceof Uint8Array ? [message.buffer as ArrayBuffer] : [])
  }

  #onMessage(message: PortMessage): void {
    if (this.#over) return
    if (message instanceof Uint8Array) {
      this.#owed += message.length
      // What comes while it is full may find room: then nobody says that it drained.
      this.#isFull = !this.#write(message)
      this.#grant()
    } else if (typeof message === 'number') this.#stream.consume(message)
    else if (message === 'end') {
      this.#portEnded = true
      this.#stream.end()
      this.#settle()
    } else this.#onClose()
    this.#wake()
  }

  /** In pieces that a stream takes. */
  #write(bytes: Uint8Array): boolean {
    let hasRoom = true
    for (let at = 0; at < bytes.length; at += CHUNK) hasRoom = this.#stream.write(bytes.subarray(at, at + CHUNK))
    return hasRoom
  }

  #grant(): void {
    if (this.#isFull || this.#owed === 0) return
    this.#send(this.#owed)
    this.#owed = 0
  }

  /** The other end is gone, or gave up. */
  #onClose(): void {
    if (this.#over) return
    this.#stream.reset(SessionCode.none)
    this.#wake()
    this.#end(undefined)
  }

  #settle(): void {
    if (this.#streamEnded && this.#portEnded) this.#end(undefined)
  }

  #end(last: 'reset' | undefined): void {
    if (this.#over) return
    // Both directions are over for the stream: what nobody takes any more opens the session's window.
    this.#stream.consume(Infinity)
    this.#queue.remove(this)
    this.#over = true
    this.#gatherer.drop()
    if (last !== undefined) this.#send(last)
    this.#port.close()
    this.#onOver()
  }
}
