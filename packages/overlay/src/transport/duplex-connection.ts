import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type { AbortOptions, Logger, MessageStreamDirection, MultiaddrConnection } from '@libp2p/interface'
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import { MAX_CONNECTION_BACKLOG } from './limits.ts'

export interface DuplexConnectionInit {
  readonly duplex: Duplex
  readonly remoteAddr: Multiaddr
  readonly direction: MessageStreamDirection
  readonly log: Logger
}

/** A stream of Node, such as that of a WebSocket, as a raw connection of libp2p, with back-pressure both ways. */
export class DuplexConnection extends AbstractMultiaddrConnection implements MultiaddrConnection {
  readonly #duplex: Duplex

  constructor({ duplex, ...init }: DuplexConnectionInit) {
    super({ ...init, maxWriteBufferLength: MAX_CONNECTION_BACKLOG })
    this.#duplex = duplex
    duplex.on('data', (chunk: Uint8Array) => this.onData(chunk))
    duplex.on('drain', () => this.safeDispatchEvent('drain'))
    // A half that ends is the end here: what runs on it has no use for one direction.
    duplex.on('end', () => this.onTransportClosed())
    duplex.on('close', () => this.onTransportClosed())
    duplex.on('error', (error) => this.abort(error))
  }

  override sendData(list: Parameters<AbstractMultiaddrConnection['sendData']>[0]): SendResult {
    for (const chunk of list) this.#duplex.write(chunk)
    return { sentBytes: list.byteLength, canSendMore: !this.#duplex.writableNeedDrain }
  }

  override async sendClose(options?: AbortOptions): Promise<void> {
    if (this.#duplex.destroyed) return
    const closed = once(this.#duplex, 'close', options?.signal === undefined ? {} : { signal: options.signal })
    this.#duplex.end()
    await closed
  }

  override sendReset(): void {
    this.#duplex.destroy()
  }

  override sendPause(): void {
    this.#duplex.pause()
  }

  override sendResume(): void {
    this.#duplex.resume()
  }
}
