import { type Server, type Socket, createServer } from 'node:net'
import { once } from 'node:events'
import { type Clock, type Fault, WeftError, isWeftError, toWeftError } from '@weft/core'
import { type SessionStream, type StreamTarget, UDP_CHANNEL } from '@weft/onion'
import { AnyParser } from '../proxy/any-parser.ts'
import {
  type AssociateRequest,
  type ProxyParser,
  type ProxyRequest,
  type ResolveRequest,
  SET_RIGHT,
} from '../proxy/proxy-request.ts'
import { socksAssociated, socksResolved } from '../proxy/socks-parser.ts'
import type { ProxyFailure } from '../vpn.ts'
import type { AnswerWatch } from './answer-watch.ts'
import { cutOff } from './cut-off.ts'
import type { FlushQueue } from './flush-queue.ts'
import type { PathSet } from './path-set.ts'
import { KEPT_FAILURES } from './refused-packets.ts'
import { SocketPipe } from './socket-pipe.ts'
import { isOfSameUser } from './socket-users.ts'
import type { TakeStream } from './stream-opener.ts'
import { UdpAssociation } from './udp-association.ts'

export interface ProxyServerInit {
  readonly queue: FlushQueue
  readonly clock: Clock
  /** Opens a stream over the routes of `isolation`. */
  readonly open: (
    target: StreamTarget,
    isolation: string | undefined,
    signal: AbortSignal,
    take: TakeStream,
  ) => Promise<void>
  /** Looks a name up over the routes of its isolation. */
  readonly resolve: (request: ResolveRequest) => Promise<string>
}

/** Connections at once; Node accepts what is beyond them and closes it. */
const MAX_CONNECTIONS = 2_048
/** Of them with datagrams: each has a socket. */
const MAX_ASSOCIATIONS = 256
/** ms in which a client has to say what it wants. */
const REQUEST_MS = 4_000
/** ms between looks at the system's sockets, of all associations; each of them looks every 10 ms at most. */
const LOOK_EVERY_MS = 2

/** The proxy of this machine's programs: SOCKS5 and HTTP CONNECT on loopback, one stream of a session for each connection, or one channel for its datagrams. */
export class ProxyServer {
  readonly #init: ProxyServerInit
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #associations = 0
  #opened = 0
  #failed = 0
  #open = 0
  /** Monotonic ms. */
  #lookedAt = Number.NEGATIVE_INFINITY
  #port = 0
  readonly failures: ProxyFailure[] = []

  constructor(init: ProxyServerInit) {
    this.#init = init
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#onConnection(socket))
    this.#server.maxConnections = MAX_CONNECTIONS
  }

  get counts(): { readonly open: number; readonly opened: number; readonly failed: number } {
    return { open: this.#open, opened: this.#opened, failed: this.#failed }
  }

  /** @returns the port. @throws WeftError E_PORT_TAKEN, E_LISTEN_FAILED */
  async listen(host: string, port: number): Promise<number> {
    this.#server.listen({ host, port })
    try {
      await once(this.#server, 'listening')
    } catch (error) {
      throw listenFault(error, host, port)
    }
    const address = this.#server.address()
    this.#port = typeof address === 'object' && address !== null ? address.port : port
    return this.#port
  }

  /** Refuses new connections and breaks off those that stand. */
  async close(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined
    this.#server.close()
    for (const socket of this.#sockets) cutOff(socket)
    await closed
  }

  #onConnection(socket: Socket): void {
    this.#sockets.add(socket)
    const controller = new AbortController()
    const parser = new AnyParser(this.#port)
    const cancel = this.#init.clock.after(REQUEST_MS, () => {
      const fault = badRequest(`began a request to the proxy and did not end it within ${REQUEST_MS / 1_000} s`)
      socket.off('data', onData)
      this.#fail(fault)
      this.#end(socket, parser.failed(fault))
    })
    const onData = (chunk: Buffer): void => {
      for (const step of parser.push(chunk)) {
        if (step.kind === 'request' || step.kind === 'associate' || step.kind === 'resolve') {
          cancel()
          socket.off('data', onData)
          socket.pause()
          const { signal } = controller
          if (step.kind === 'associate') void this.#associate(socket, parser, step.request, signal)
          else if (step.kind === 'resolve') void this.#resolve(socket, parser, step.request, signal)
          else void this.#serve(socket, parser, step.request, step.rest, signal)
        } else if (step.kind === 'end') {
          if (step.why !== undefined) this.#fail(badRequest(`sent the proxy ${step.why}`, step.fix))
          cancel()
          socket.off('data', onData)
          this.#end(socket, step.bytes)
        } else socket.write(step.bytes)
      }
    }
    socket.on('data', onData)
    // A client that goes away while its target is being reached; once joined, the pipe hears it, too.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      cancel()
      this.#sockets.delete(socket)
      controller.abort()
    })
  }

  async #serve(
    socket: Socket,
    parser: ProxyParser,
    request: ProxyRequest,
    rest: Uint8Array,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const { host, port, isolation } = request
      await this.#init.open({ host, port }, isolation, signal, (stream, paths, watch) =>
        this.#join(socket, parser.succeeded, rest, stream, paths, watch),
      )
    } catch (error) {
      if (!signal.aborted) this.#refuse(socket, parser, error)
    }
  }

  async #resolve(socket: Socket, parser: ProxyParser, request: ResolveRequest, signal: AbortSignal): Promise<void> {
    try {
      this.#end(socket, socksResolved(await this.#init.resolve(request)))
    } catch (error) {
      if (!signal.aborted) this.#refuse(socket, parser, error)
    }
  }

  /** What the system says of its sockets is long, and read while packets wait. */
  #mayLook(): boolean {
    const now = this.#init.clock.monotonic()
    if (now - this.#lookedAt < LOOK_EVERY_MS) return false
    this.#lookedAt = now
    return true
  }

  #refuse(socket: Socket, parser: ProxyParser, error: unknown): void {
    const fault = toWeftError(error, { code: 'E_INTERNAL', cause: 'The proxy failed.', fix: 'See the log.' })
    this.#fail(fault)
    this.#end(socket, parser.failed(fault))
  }

  /** Says a last word; whoever does not close then is cut off. */
  #end(socket: Socket, bytes: Uint8Array): void {
    const cancel = this.#init.clock.after(REQUEST_MS, () => socket.destroy())
    socket.once('close', cancel)
    socket.end(bytes)
    socket.resume()
  }

  /** Carries datagrams for as long as the connection stands (RFC 1928, section 7). */
  async #associate(
    socket: Socket,
    parser: ProxyParser,
    { port, isolation }: AssociateRequest,
    signal: AbortSignal,
  ): Promise<void> {
    const { remoteAddress, remotePort, localAddress, localPort } = socket
    if (remoteAddress === undefined || remotePort === undefined || localAddress === undefined) return
    const client = { address: unmapped(remoteAddress), port }
    const proxy = { address: unmapped(localAddress), port: localPort ?? this.#port }
    if (this.#associations >= MAX_ASSOCIATIONS) return this.#refuse(socket, parser, tooManyAssociations())
    this.#associations++
    socket.once('close', () => this.#associations--)
    try {
      const association = await UdpAssociation.open(
        {
          clock: this.#init.clock,
          host: unmapped(localAddress),
          client,
          isClient: (from) =>
            this.#mayLook() && isOfSameUser({ ...client, port: from }, { ...client, port: remotePort }, proxy),
          open: (taken) => this.#init.open(UDP_CHANNEL, isolation, signal, taken),
          onFault: (fault) => this.#fail(fault),
        },
        signal,
      )
      this.#opened++
      this.#open++
      socket.once('close', () => this.#open--)
      socket.write(socksAssociated(unmapped(localAddress), association.port))
      // Nothing more is to be said; whoever ends its half ends the association.
      socket.once('end', () => socket.destroy())
      socket.resume()
    } catch (error) {
      if (!signal.aborted) this.#refuse(socket, parser, error)
    }
  }

  /** @param rest what the client sent behind its request, for the target */
  #join(
    socket: Socket,
    succeeded: Uint8Array,
    rest: Uint8Array,
    stream: SessionStream,
    paths: PathSet,
    watch?: AnswerWatch,
  ): void {
    this.#opened++
    this.#open++
    const over = (): void => {
      this.#open--
      if (paths.loss !== undefined) this.#tell(endedWith(paths.loss.fault))
      paths.forget(stream)
    }
    const pipe = new SocketPipe(socket, stream, this.#init.queue, () => paths.wake(), over, watch)
    socket.write(succeeded)
    if (rest.length > 0) pipe.send(rest)
    pipe.begin()
  }

  #fail(fault: Fault): void {
    this.#failed++
    this.#tell(fault)
  }

  #tell({ code, cause, fix }: Fault): void {
    const at = this.#init.clock.now()
    const [newest] = this.failures
    if (newest?.code === code && newest.cause === cause) {
      // A program that tries again and again would leave room for nothing else.
      this.failures[0] = { ...newest, at, count: newest.count + 1 }
      return
    }
    this.failures.unshift({ code, cause, fix, at, count: 1 })
    this.failures.length = Math.min(this.failures.length, KEPT_FAILURES)
  }
}

function listenFault(error: unknown, host: string, port: number): WeftError {
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
  if (isWeftError(error)) return error
  return taken
    ? new WeftError({
        code: 'E_PORT_TAKEN',
        cause: `The proxy cannot listen on ${host}:${port}: another program does.`,
        fix: 'End that program, or choose other ports with --base-port.',
        details: { port },
      })
    : new WeftError({
        code: 'E_LISTEN_FAILED',
        cause: `The proxy cannot listen on ${host}:${port}.`,
        fix: 'Choose another port with --base-port.',
        details: { port },
        origin: error,
      })
}

/** A connection that had reached its target. */
function endedWith({ code, cause }: Fault): Fault {
  return {
    code,
    cause: `A connection ended with its route: ${cause}`,
    fix: 'Open it again: it goes over another route, if there is one (weft vpn route).',
  }
}

function tooManyAssociations(): WeftError {
  return new WeftError({
    code: 'E_PROXY_FULL',
    cause: `Programs have ${MAX_ASSOCIATIONS} UDP associations with the proxy already.`,
    fix: 'End programs that use many; each association ends with the connection that asked for it.',
  })
}

/** A socket of both families tells IPv4 addresses in their IPv4-mapped form. */
function unmapped(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

function badRequest(what: string, fix = SET_RIGHT): WeftError {
  return new WeftError({
    code: 'E_PROXY_REQUEST',
    cause: `A program ${what}.`,
    fix,
  })
}
