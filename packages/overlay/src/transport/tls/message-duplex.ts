import { Duplex } from 'node:stream'
import type { MessageStream, StreamMessageEvent } from '@libp2p/interface'

type Done = (error?: Error | null) => void

/**
 * A message stream of libp2p as a stream of Node, for TLS where there is no socket under a connection: over a relay or
 * a WebSocket. The message stream keeps its own life cycle; what ends here ends with it.
 */
export class MessageDuplex extends Duplex {
  readonly #raw: MessageStream
  #drained: Done | undefined
  #paused = false

  constructor(raw: MessageStream, buffer: number) {
    super({ highWaterMark: buffer })
    this.#raw = raw
    raw.addEventListener('message', (event) => this.#onMessage(event))
    raw.addEventListener('drain', () => this.#continue())
    raw.addEventListener('close', () => this.destroy())
  }

  override _read(): void {
    if (!this.#paused) return
    this.#paused = false
    // Hands on what libp2p held back, which may fill this stream and pause again.
    if (this.#raw.status === 'open') this.#raw.resume()
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    try {
      if (this.#raw.send(chunk)) done()
      // `onDrain()` of libp2p 3.3 resolves at once after its first use: the event is what counts.
      else this.#drained = done
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
    }
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#continue()
    done(error)
  }

  #onMessage({ data }: StreamMessageEvent): void {
    let room = true
    if (data instanceof Uint8Array) room = this.push(data)
    else for (const chunk of data) room = this.push(chunk)
    if (room || this.#paused || this.#raw.status !== 'open') return
    this.#paused = true
    this.#raw.pause()
  }

  #continue(): void {
    const done = this.#drained
    this.#drained = undefined
    done?.()
  }
}
