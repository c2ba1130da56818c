import { type RemoteInfo, type Socket, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { type Clock, WeftError, toWeftError } from '@weft/core'
import { type DatagramChannel, SessionCode, type SessionStream } from '@weft/onion'
import { literalLookup } from '../exit/literal-lookup.ts'
import { type SocksDatagram, readSocksDatagram, socksDatagramHeader } from '../proxy/socks-datagram.ts'
import type { PathSet } from './path-set.ts'
import type { TakeStream } from './stream-opener.ts'
import { targetFault } from './target-fault.ts'

export interface UdpAssociationInit {
  readonly clock: Clock
  /** The proxy's own address, where datagrams are taken. */
  readonly host: string
  /** From where they come: the other end of the connection; port 0 when the program did not name it. */
  readonly client: { readonly address: string; readonly port: number }
  /** Whether who is at a port of the client's address is the user whose connection it is; asked where the program named no port. */
  readonly isClient: (port: number) => boolean
  /** Opens a channel to an exit. @throws WeftError as `StreamOpener.open` */
  readonly open: (take: TakeStream) => Promise<void>
  /** A target, or the route, took no datagrams. */
  readonly onFault: (fault: WeftError) => void
}

/** Datagrams that wait for another channel, when theirs ended, and their bytes. */
const MAX_WAITING = 32
const MAX_WAITING_BYTES = 128 * 1024
/** Bytes towards the program that the system has not taken, above which more are dropped. */
const MAX_UNSENT_BYTES = 1024 * 1024
/** Bytes that the system keeps of what a program sends at once; it may allow less. */
const RECEIVE_BUFFER = 1024 * 1024
/** ms between attempts to get another. */
const RETRY_MS = 1_000
/** ms between looks at whose a port is. */
const LOOK_EVERY_MS = 10
const NONE = Buffer.alloc(0)

/**
 * The datagrams of one program (RFC 1928, section 7), from its socket to a channel and back. When the channel ends, by a route that
 * broke or an exit that closed it for want of traffic, the next datagram opens another: to the program nothing was connected.
 */
export class UdpAssociation {
  readonly #init: UdpAssociationInit
  readonly #socket: Socket
  #clientPort: number
  /** When it was looked last whose a port is, monotonic ms. */
  #lookedAt = -Infinity
  #route: { readonly stream: SessionStream; readonly channel: DatagramChannel; readonly paths: PathSet } | undefined
  #isOpening = false
  /** Monotonic ms. */
  #retryAt = 0
  #waiting: { readonly host: string; readonly port: number; readonly bytes: Uint8Array }[] = []
  /** Header of the last datagram from the program and what it says; the same of the last one towards it. */
  #readHead = NONE
  #read: SocksDatagram | undefined
  #wroteFor = ''
  #wroteHead: Uint8Array = NONE
  #isClosed = false

  private constructor(init: UdpAssociationInit) {
    this.#init = init
    this.#clientPort = init.client.port
    const type = isIPv6(init.host) ? 'udp6' : 'udp4'
    this.#socket = createSocket({ type, lookup: literalLookup, recvBufferSize: RECEIVE_BUFFER })
  }

  /** Opens a channel and the socket; both end with `signal`. @throws WeftError as `init.open`, E_LISTEN_FAILED */
  static async open(init: UdpAssociationInit, signal: AbortSignal): Promise<UdpAssociation> {
    const association = new UdpAssociation(init)
    try {
      await association.#listen()
      signal.addEventListener('abort', () => association.#close(), { once: true })
      signal.throwIfAborted()
      await init.open((stream, paths) => association.#take(stream, paths))
    } catch (error) {
      association.#close()
      throw error
    }
    return association
  }

  /** Where the program sends its datagrams. */
  get port(): number {
    return this.#socket.address().port
  }

  async #listen(): Promise<void> {
    const socket = this.#socket
    socket.on('message', (bytes, from) => this.#onMessage(bytes, from))
    const listening = once(socket, 'listening')
    try {
      socket.bind({ address: this.#init.host, port: 0, exclusive: true })
      await listening
    } catch (error) {
      throw new WeftError({
        code: 'E_LISTEN_FAILED',
        cause: 'The proxy cannot open a UDP socket for a program.',
        fix: 'Raise the limit of open files (ulimit -n), or end programs that use many sockets.',
        origin: error,
      })
    }
    // What goes wrong with one datagram is nobody's fault but its own.
    socket.on('error', () => {})
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#waiting = []
    this.#socket.close()
    const route = this.#route
    this.#route = undefined
    if (route === undefined) return
    route.stream.reset(SessionCode.none)
    route.paths.wake()
    route.paths.forget(route.stream)
  }

  #take(stream: SessionStream, paths: PathSet): void {
    const { channel } = stream
    const lost = (): void => {
      paths.forget(stream)
      if (this.#route?.stream === stream) this.#route = undefined
    }
    stream.handler = { onReset: lost, onEnd: lost }
    if (channel === undefined || this.#isClosed) {
      stream.reset(SessionCode.none)
      paths.wake()
      return lost()
    }
    channel.handler = {
      onDatagram: ({ port }, address, bytes) => this.#deliver(address, port, bytes),
      onUnreached: (_, code) => this.#init.onFault(targetFault(code)),
    }
    this.#route?.stream.reset(SessionCode.none)
    this.#route?.paths.forget(this.#route.stream)
    this.#route = { stream, channel, paths }
    const waiting = this.#waiting
    this.#waiting = []
    for (const { host, port, bytes } of waiting) channel.send(host, port, bytes)
    if (waiting.length > 0) paths.wake()
  }

  #onMessage(bytes: Buffer, { address, port }: RemoteInfo): void {
    if (address !== this.#init.client.address) return
    if (this.#clientPort !== 0 && port !== this.#clientPort) return
    const read = this.#readHeader(bytes)
    if (read === undefined || !this.#isFromClient(port)) return
    // A program that did not know its port has it from its first datagram on: nobody else on its machine is heard then.
    this.#clientPort = port
    const content = bytes.subarray(read.start)
    const route = this.#route
    if (route === undefined) return this.#wait(read, content)
    route.channel.send(read.host, read.port, content)
    route.paths.wake()
    // Nothing comes back over it for a while: another path set may be fit.
    if (!route.paths.healthy) this.#open()
  }

  #isFromClient(port: number): boolean {
    if (this.#clientPort !== 0) return true
    const now = this.#init.clock.monotonic()
    // Others on this machine may send as many as they like: what is looked through each time is long.
    if (now - this.#lookedAt < LOOK_EVERY_MS) return false
    this.#lookedAt = now
    return this.#init.isClient(port)
  }

  /** Most datagrams go where the one before went. */
  #readHeader(bytes: Buffer): SocksDatagram | undefined {
    const { length } = this.#readHead
    if (length > 0 && bytes.length >= length && bytes.compare(this.#readHead, 0, length, 0, length) === 0)
      return this.#read
    const read = readSocksDatagram(bytes)
    if (read === undefined) return undefined
    this.#read = read
    this.#readHead = Buffer.from(bytes.subarray(0, read.start))
    return read
  }

  #wait({ host, port }: SocksDatagram, bytes: Uint8Array): void {
    if (this.#isClosed) return
    this.#waiting.push({ host, port, bytes })
    const sum = (): number => this.#waiting.reduce((total, { bytes: { length } }) => total + length, 0)
    while (this.#waiting.length > MAX_WAITING || sum() > MAX_WAITING_BYTES) this.#waiting.shift()
    this.#open()
  }

  #open(): void {
    const now = this.#init.clock.monotonic()
    if (this.#isOpening || now < this.#retryAt) return
    this.#isOpening = true
    this.#init
      .open((stream, paths) => this.#take(stream, paths))
      .catch((error: unknown) => {
        this.#retryAt = this.#init.clock.monotonic() + RETRY_MS
        this.#waiting = []
        if (this.#isClosed) return
        this.#init.onFault(
          toWeftError(error, { code: 'E_INTERNAL', cause: 'The proxy failed.', fix: 'See the log of this node.' }),
        )
      })
      .finally(() => (this.#isOpening = false))
  }

  #deliver(address: string, port: number, bytes: Uint8Array): void {
    if (this.#isClosed || this.#clientPort === 0 || this.#socket.getSendQueueSize() > MAX_UNSENT_BYTES) return
    const from = `${port} ${address}`
    if (from !== this.#wroteFor) {
      this.#wroteFor = from
      this.#wroteHead = socksDatagramHeader(address, port)
    }
    const head = this.#wroteHead
    const datagram = Buffer.allocUnsafe(head.length + bytes.length)
    datagram.set(head)
    datagram.set(bytes, head.length)
    this.#socket.send(datagram, this.#clientPort, this.#init.client.address)
  }
}
