import { once } from 'node:events'
import { type IncomingMessage, type Server, createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Listener, type ListenerEvents, type Logger, TypedEventEmitter, type Upgrader } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { WebSocketServer } from 'ws'
import { DuplexConnection } from '../duplex-connection.ts'
import type { InboundGate } from '../inbound-gate.ts'
import { INBOUND_UPGRADE_TIMEOUT_MS, MAX_WEB_SOCKET_HEADER, SOCKET_BUFFER } from '../limits.ts'
import { socketGuest } from './socket-guest.ts'
import { webSocketEndpoint } from './web-socket-endpoint.ts'
import { WEB_SOCKET_LIMITS } from './web-socket-limits.ts'

export interface WebSocketListenerInit {
  readonly upgrader: Upgrader
  readonly gate: InboundGate
  readonly log: Logger
}

/**
 * Listens for WebSockets (RFC 6455). A caller takes its place at the gate when its socket comes, before a byte of HTTP is
 * read, and gives it back when the connection is secured; what takes longer than an upgrade may is closed.
 */
export class WebSocketListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #init: WebSocketListenerInit
  readonly #http: Server
  #webSockets: WebSocketServer | undefined
  readonly #sockets = new Set<Socket>()
  /** Gives back the place of a socket at the gate. */
  readonly #leave = new WeakMap<Socket, () => void>()
  readonly #closing = new AbortController()

  constructor(init: WebSocketListenerInit) {
    super()
    this.#init = init
    this.#http = createServer({
      maxHeaderSize: MAX_WEB_SOCKET_HEADER,
      headersTimeout: INBOUND_UPGRADE_TIMEOUT_MS,
      requestTimeout: INBOUND_UPGRADE_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 1,
      noDelay: true,
    })
    this.#http.on('connection', (socket) => this.#onSocket(socket))
    this.#http.on('request', (_, response) => {
      response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end()
    })
    this.#http.on('upgrade', (request, socket, head) => void this.#onUpgrade(request, socket, head))
  }

  async listen(address: Multiaddr): Promise<void> {
    this.#http.listen(webSocketEndpoint(address))
    await once(this.#http, 'listening')
    this.safeDispatchEvent('listening')
  }

  getAddrs(): Multiaddr[] {
    const address = this.#http.address() as AddressInfo | null
    if (address === null) return []
    const { family, address: host, port } = address
    return [multiaddr(`/${family === 'IPv6' ? 'ip6' : 'ip4'}/${host}/tcp/${port}/ws`)]
  }

  updateAnnounceAddrs(): void {}

  async close(): Promise<void> {
    this.#closing.abort()
    this.#http.close()
    for (const socket of this.#sockets) socket.destroy()
    if (this.#http.listening) await once(this.#http, 'close')
    this.safeDispatchEvent('close')
  }

  #onSocket(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    try {
      this.#leave.set(socket, this.#init.gate.enter(socketGuest(socket)))
    } catch {
      socket.destroy()
    }
  }

  /** The library comes with the first caller: most nodes have none, and it takes 3 MB. */
  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { WebSocketServer: Server, createWebSocketStream } = await import('ws')
    this.#webSockets ??= new Server({
      noServer: true,
      clientTracking: false,
      ...WEB_SOCKET_LIMITS,
    })
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      void this.#secure(createWebSocketStream(webSocket, { highWaterMark: SOCKET_BUFFER }), request.socket)
    })
  }

  async #secure(duplex: Duplex, socket: Socket): Promise<void> {
    const { upgrader, log } = this.#init
    const remoteAddr = socketGuest(socket).remoteAddr.encapsulate('/ws')
    const connection = new DuplexConnection({ duplex, remoteAddr, direction: 'inbound', log })
    try {
      await upgrader.upgradeInbound(connection, { signal: this.#closing.signal })
    } catch (error) {
      connection.abort(error instanceof Error ? error : new Error(String(error)))
    } finally {
      this.#leave.get(socket)?.()
    }
  }
}
