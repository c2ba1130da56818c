import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'
import { TLSSocket } from 'node:tls'
import { type Clock, canonicalHost, mappedIPv4, toHex } from '@weft/core'
import { CarriageConnection, type CarriageConnectionEvents, type QueuedBytes } from './carriage-connection.ts'
import type { CarriageCounters } from './carriage-counters.ts'
import { CarriageDoors } from './carriage-doors.ts'
import { carriagePortError } from './carriage-port-error.ts'
import { FLOW_CONNECTIONS, HANDSHAKE_MS, IDLE_MS, UNUSED_MS } from './carriage-limits.ts'
import { Flow } from './flow.ts'
import type { GatherBuffers } from './gather-buffers.ts'
import { PREFACE_BYTES, readPreface } from './preface.ts'
import { type TlsIdentity, serverTls } from './tls-options.ts'

export interface CarriageListenerInit {
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  readonly identity: TlsIdentity
  /** Of this node: who does not know it is not served. */
  readonly linkKey: Uint8Array
  readonly clock: Clock
  readonly counters: CarriageCounters
  readonly queued: QueuedBytes
  readonly buffers: GatherBuffers
  /** What a flow does with what comes. */
  readonly events: (flow: Flow) => Pick<CarriageConnectionEvents, 'onPacket' | 'onRead'>
  readonly onSend: (flow: Flow) => void
}

/** What a web server says to who speaks something else: a stranger learns no more here. */
const NOT_HTTP = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** The side of packets in TLS that is called: an entry's. */
export class CarriageListener {
  readonly port: number
  readonly #init: CarriageListenerInit
  readonly #server: Server
  readonly #tls
  readonly #doors: CarriageDoors
  readonly #sockets = new Set<Socket>()
  /** By their id. */
  readonly #flows = new Map<string, Flow>()

  /** @throws WeftError E_PORT_TAKEN, E_LISTEN_FAILED */
  static async open(init: CarriageListenerInit): Promise<CarriageListener> {
    const server = createServer({ noDelay: true })
    try {
      server.listen({ host: init.host, port: init.port, exclusive: true, ipv6Only: false })
      await once(server, 'listening')
    } catch (error) {
      throw carriagePortError(init.host, init.port, error)
    }
    return new CarriageListener(init, server)
  }

  private constructor(init: CarriageListenerInit, server: Server) {
    this.#init = init
    this.#server = server
    this.#tls = serverTls(init.identity)
    this.#doors = new CarriageDoors(init.clock)
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (socket) => this.#onSocket(socket))
    // A descriptor that is missing for a moment; who called calls again.
    server.on('error', () => init.counters.carriageRefused++)
  }

  /** Clients that are connected. */
  get flows(): number {
    return this.#flows.size
  }

  /** Closes what nothing is sent to any more. */
  look(now: number): void {
    for (const flow of this.#flows.values()) {
      const idle = flow.sentAt === undefined ? now - flow.openedAt > UNUSED_MS : now - flow.sentAt > IDLE_MS
      if (idle) flow.close()
    }
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #onSocket(socket: Socket): void {
    const { clock, counters } = this.#init
    socket.on('error', () => socket.destroy())
    const canonical = canonicalHost(socket.remoteAddress ?? '')
    const address = canonical === undefined ? undefined : (mappedIPv4(canonical) ?? canonical)
    const leave = address === undefined ? undefined : this.#doors.enter(socket, address)
    if (address === undefined || leave === undefined) {
      counters.carriageRefused++
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    const tls = new TLSSocket(socket, this.#tls)
    tls.on('error', () => socket.destroy())
    const cancel = clock.after(HANDSHAKE_MS, () => {
      counters.carriageRefused++
      socket.destroy()
    })
    socket.once('close', () => {
      cancel()
      leave()
      this.#sockets.delete(socket)
      tls.destroy()
    })
    const endpoint = { address, port: socket.remotePort ?? 0 }
    readFirst(tls, (first) => {
      const flowId = readPreface(first.subarray(0, PREFACE_BYTES), this.#init.linkKey)
      if (flowId === undefined) {
        counters.carriageRefused++
        tls.end(NOT_HTTP)
        return
      }
      cancel()
      this.#doors.passed(socket)
      this.#join(tls, toHex(flowId), endpoint, first.subarray(PREFACE_BYTES))
    })
  }

  #join(
    tls: TLSSocket,
    id: string,
    { address, port }: { readonly address: string; readonly port: number },
    rest: Uint8Array,
  ): void {
    const { counters, queued, buffers, events, clock, onSend } = this.#init
    const flow = this.#flows.get(id) ?? new Flow({ address, port, counters, queued, buffers, waits: false, onSend })
    // What may wait for one caller is bounded by them.
    if (flow.connections >= FLOW_CONNECTIONS) {
      counters.carriageRefused++
      tls.destroy()
      return
    }
    if (flow.connections === 0) flow.openedAt = clock.monotonic()
    this.#flows.set(id, flow)
    const connection = new CarriageConnection(tls, queued, {
      ...events(flow),
      onMalformed: () => counters.carriageMalformed++,
      onClose: () => {
        flow.remove(connection)
        if (flow.connections === 0 && this.#flows.get(id) === flow) this.#flows.delete(id)
      },
    })
    flow.add(connection)
    if (rest.length > 0) connection.read(rest)
  }
}

/** Gathers at least as many bytes as a preface has; who sends fewer is closed in time. */
function readFirst(tls: TLSSocket, onFirst: (bytes: Uint8Array) => void): void {
  let first: Uint8Array = new Uint8Array(0)
  const onData = (chunk: Uint8Array): void => {
    first = Buffer.concat([first, chunk])
    if (first.length < PREFACE_BYTES) return
    tls.removeListener('data', onData)
    onFirst(first)
  }
  tls.on('data', onData)
}
