import {
  type ComponentLogger,
  type Connection,
  type ConnectionEncrypter,
  type CreateListenerOptions,
  type DialTransportOptions,
  type Listener,
  type Transport,
  serviceCapabilities,
  transportSymbol,
} from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { WebSocket } from 'ws'
import { overDuplex } from '../over-duplex.ts'
import type { InboundGate } from '../inbound-gate.ts'
import { SOCKET_BUFFER } from '../limits.ts'
import { alsoEncryptedBy } from './also-encrypted-by.ts'
import { webSocketEndpoint } from './web-socket-endpoint.ts'
import { WEB_SOCKET_LIMITS } from './web-socket-limits.ts'
import { WebSocketListener } from './web-socket-listener.ts'

export interface WebSocketTransportInit {
  readonly gate: InboundGate
  readonly logger: ComponentLogger
  /** What browsers speak, who have no TLS of libp2p: taken from callers on a WebSocket, spoken to nobody. */
  readonly browsers: ConnectionEncrypter
}

/**
 * WebSockets for browsers, and for nodes whose network lets nothing else through. Why not `@libp2p/websockets`:
 * docs/adr/0021-reach.md.
 */
export class WebSocketTransport implements Transport {
  readonly [transportSymbol] = true
  readonly [Symbol.toStringTag] = 'weft/websocket'
  readonly [serviceCapabilities] = ['@libp2p/transport']
  readonly #init: WebSocketTransportInit

  constructor(init: WebSocketTransportInit) {
    this.#init = init
  }

  async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const { host, port } = webSocketEndpoint(address) ?? unusable(address)
    const { WebSocket: Client, createWebSocketStream } = await import('ws')
    const webSocket = new Client(`ws://${host.includes(':') ? `[${host}]` : host}:${port}/`, {
      ...WEB_SOCKET_LIMITS,
      followRedirects: false,
    })
    await opened(webSocket, options.signal)
    const duplex = createWebSocketStream(webSocket, { highWaterMark: SOCKET_BUFFER })
    const log = this.#init.logger.forComponent('weft:websocket')
    return overDuplex(duplex, address, options, log)
  }

  createListener({ upgrader }: CreateListenerOptions): Listener {
    const { gate, logger, browsers } = this.#init
    const log = logger.forComponent('weft:websocket')
    return new WebSocketListener({ upgrader: alsoEncryptedBy(upgrader, browsers), gate, log })
  }

  listenFilter(addresses: Multiaddr[]): Multiaddr[] {
    return addresses.filter((address) => webSocketEndpoint(address) !== undefined)
  }

  dialFilter(addresses: Multiaddr[]): Multiaddr[] {
    return this.listenFilter(addresses)
  }
}

function opened(webSocket: WebSocket, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onAbort = (): void => webSocket.terminate()
  webSocket.once('open', resolve)
  // Stays: what ends a socket that is not open yet is an error event, too.
  webSocket.on('error', reject)
  webSocket.once('close', () => reject(signal.aborted ? signal.reason : new Error('it closed the WebSocket')))
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  return promise.finally(() => signal.removeEventListener('abort', onAbort))
}

function unusable(address: Multiaddr): never {
  throw new Error(`${address.toString()} is no address of a WebSocket`)
}
