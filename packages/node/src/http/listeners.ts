import { chmodSync, rmSync } from 'node:fs'
import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, createServer } from 'node:http'
import type { ListenOptions } from 'node:net'
import { portError } from '../daemon/port-error.ts'

/** ms for the whole of the request's head: a client that dribbles is cut off. */
const HEADERS_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 30_000
/** Bytes of all headers of a request. */
const MAX_HEADER_SIZE = 16 * 1024
/** ms that requests under way may take to end once the daemon stops. */
const DRAIN_MS = 4_000

/** Where a request came in. */
export type Entrance = 'socket' | 'tcp'

export interface ListenerOptions {
  readonly socketPath: string
  /** TCP port on 127.0.0.1; 0 takes a free one. */
  readonly port: number
  /** Per door. */
  readonly maxConnections: number
}

/**
 * The two doors of the API, opened first, so that a port that is taken stops the start before anything else was done.
 * Until there is an API behind them they answer 503.
 */
export class Listeners implements AsyncDisposable {
  readonly #servers: Server[] = []
  readonly #entrances = new WeakMap<IncomingMessage, Entrance>()
  readonly #responses = new Set<ServerResponse>()
  #handler: RequestListener = answerStarting
  #port = 0
  #closing: Promise<unknown> | undefined

  /** @throws WeftError E_PORT_TAKEN, E_PORT_UNUSABLE */
  static async open(options: ListenerOptions): Promise<Listeners> {
    const listeners = new Listeners()
    // Only the holder of the home's lock comes here: a socket file that is still there is of a daemon that was killed.
    rmSync(options.socketPath, { force: true })
    try {
      await listeners.#listen('socket', { path: options.socketPath }, options)
      chmodSync(options.socketPath, 0o600)
      await listeners.#listen('tcp', { host: '127.0.0.1', port: options.port }, options)
    } catch (error) {
      await listeners.close()
      throw error
    }
    return listeners
  }

  /** The TCP port that was got. */
  get port(): number {
    return this.#port
  }

  entranceOf(request: IncomingMessage): Entrance {
    // An unknown request is treated as coming from the more restricted side.
    return this.#entrances.get(request) ?? 'tcp'
  }

  /** Puts the API behind the doors. */
  serve(handler: RequestListener): void {
    this.#handler = handler
  }

  async #listen(entrance: Entrance, where: ListenOptions, { maxConnections, port }: ListenerOptions): Promise<void> {
    const server = createServer(
      {
        maxHeaderSize: MAX_HEADER_SIZE,
        headersTimeout: HEADERS_TIMEOUT_MS,
        // An upload may take hours: bodies have limits of their own (see limitBodyTime, uploadBody).
        requestTimeout: 0,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: 5_000,
      },
      (request, response) => {
        this.#entrances.set(request, entrance)
        this.#responses.add(response)
        response.once('close', () => this.#responses.delete(response))
        this.#handler(request, response)
      },
    )
    server.maxConnections = maxConnections
    server.on('clientError', (_, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    })
    const opened = Promise.withResolvers<void>()
    server.once('error', (error) => opened.reject(entrance === 'tcp' ? portError(error, port, 'ports.base') : error))
    server.listen(where, () => opened.resolve())
    await opened.promise
    this.#servers.push(server)
    const address = server.address()
    if (typeof address === 'object' && address !== null) this.#port = address.port
  }

  /** Takes no more, lets what is under way end, and cuts off what does not. */
  close(): Promise<unknown> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
    for (const response of this.#responses) {
      if (!response.headersSent) response.setHeader('connection', 'close')
    }
    for (const server of this.#servers) server.closeIdleConnections()
    const cut = setTimeout(() => {
      for (const server of this.#servers) server.closeAllConnections()
    }, DRAIN_MS)
    await Promise.all(closed)
    clearTimeout(cut)
  }
}

const STARTING = JSON.stringify({
  error: {
    code: 'E_STARTING',
    cause: 'The daemon is starting.',
    fix: 'Try again in a moment.',
    retryable: true,
    details: {},
  },
})

const answerStarting: RequestListener = (_, response) => {
  response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1', connection: 'close' }).end(STARTING)
}
