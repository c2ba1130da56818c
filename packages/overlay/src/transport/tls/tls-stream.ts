import type { TLSSocket } from 'node:tls'
import type { AbortOptions, MessageStream } from '@libp2p/interface'
import { AbstractMessageStream, type SendResult } from '@libp2p/utils'
import { freeNow } from '@weft/core'
import { MAX_CONNECTION_BACKLOG } from '../limits.ts'

/** A secured connection as libp2p's muxer sees it. The raw connection keeps the life cycle; only bytes go past it. */
export class TlsStream extends AbstractMessageStream {
  readonly #socket: TLSSocket
  readonly #raw: MessageStream
  #gathered: Uint8Array[] = []

  constructor(socket: TLSSocket, raw: MessageStream, isServer: boolean) {
    super({
      log: raw.log,
      // Both have dialled where a hole was punched; yamux numbers its streams by who is the server.
      direction: isServer ? 'inbound' : 'outbound',
      maxReadBufferLength: raw.maxReadBufferLength,
      // A peer that grants windows and does not read could otherwise make this grow without end.
      maxWriteBufferLength: MAX_CONNECTION_BACKLOG,
    })
    this.#socket = socket
    this.#raw = raw
    socket.on('data', (chunk: Uint8Array) => this.#gather(chunk))
    socket.on('drain', () => this.safeDispatchEvent('drain'))
    socket.on('close', () => void raw.close().catch((error: Error) => raw.abort(error)))
    raw.addEventListener('close', (event) => {
      this.#deliver()
      socket.destroy()
      if (event.error === undefined) this.onTransportClosed()
      else if (event.local) this.abort(event.error)
      else this.onRemoteReset()
    })
  }

  /**
   * A read of the socket brings up to four records of 16 KiB, each as an event of its own in the same turn. Put together
   * they are parsed and handed on once.
   */
  #gather(chunk: Uint8Array): void {
    this.#gathered.push(chunk)
    if (this.#gathered.length === 1) process.nextTick(() => this.#deliver())
  }

  #deliver(): void {
    const chunks = this.#gathered
    if (chunks.length === 0) return
    this.#gathered = []
    if (chunks.length === 1) {
      this.onData(chunks[0] as Uint8Array)
      return
    }
    const together = Buffer.concat(chunks)
    for (const chunk of chunks) freeNow(chunk)
    this.onData(together)
  }

  /** One write for the whole list: a frame and its header then share a TLS record. */
  override sendData(list: Parameters<AbstractMessageStream['sendData']>[0]): SendResult {
    this.#socket.cork()
    for (const chunk of list) this.#socket.write(chunk)
    this.#socket.uncork()
    return { sentBytes: list.byteLength, canSendMore: !this.#socket.writableNeedDrain }
  }

  override sendPause(): void {
    this.#socket.pause()
  }

  override sendResume(): void {
    this.#socket.resume()
  }

  override sendReset(error: Error): void {
    this.#socket.destroy()
    this.#raw.abort(error)
  }

  override async close(options?: AbortOptions): Promise<void> {
    this.#socket.destroySoon()
    await this.#raw.close(options)
  }
}
