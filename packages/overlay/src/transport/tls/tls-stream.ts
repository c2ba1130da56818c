import type { TLSSocket } from 'node:tls'
import type { AbortOptions, MessageStream } from '@libp2p/interface'
import { AbstractMessageStream, type SendResult } from '@libp2p/utils'
import { MAX_CONNECTION_BACKLOG } from '../limits.ts'

/** A secured connection as libp2p's muxer sees it. The raw connection keeps the life cycle; only bytes go past it. */
export class TlsStream extends AbstractMessageStream {
  readonly #socket: TLSSocket
  readonly #raw: MessageStream

  constructor(socket: TLSSocket, raw: MessageStream) {
    super({
      log: raw.log,
      direction: raw.direction,
      maxReadBufferLength: raw.maxReadBufferLength,
      // A peer that grants windows and does not read could otherwise make this grow without end.
      maxWriteBufferLength: MAX_CONNECTION_BACKLOG,
    })
    this.#socket = socket
    this.#raw = raw
    socket.on('data', (chunk: Uint8Array) => this.onData(chunk))
    socket.on('drain', () => this.safeDispatchEvent('drain'))
    socket.on('close', () => void raw.close().catch((error: Error) => raw.abort(error)))
    raw.addEventListener('close', (event) => {
      socket.destroy()
      if (event.error === undefined) this.onTransportClosed()
      else if (event.local) this.abort(event.error)
      else this.onRemoteReset()
    })
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
