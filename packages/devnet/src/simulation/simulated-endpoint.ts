import { Emitter, WeftError } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { ByteStream } from '@weft/overlay'
import type { StreamProtocol } from '@weft/wire'
import type { Connection, ConnectionEnd } from './connection.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import { SimulatedStream } from './simulated-stream.ts'

export interface EndpointOptions {
  readonly id: DidKey
  readonly networkId: string
  readonly process: SimulatedProcess
  /** The local TCP port that it makes all its calls from. */
  readonly port: number
}

interface EndpointEvents {
  readonly peer: { readonly id: DidKey; readonly connected: boolean }
  readonly connection: Connection
}

type Accept = (stream: ByteStream, address: string) => void

/** Bytes of a message that opens a stream, and of what answers it. */
const NEGOTIATION = 64
/** ms: as the real transport waits for it. */
const NEGOTIATION_TIMEOUT_MS = 5_000

/** One identity of a process on the network: its connections, and the protocols that it offers. */
export class SimulatedEndpoint implements ConnectionEnd {
  readonly id: DidKey
  readonly networkId: string
  readonly process: SimulatedProcess
  readonly port: number
  readonly #connections = new Map<DidKey, Set<Connection>>()
  readonly #accept = new Map<StreamProtocol, Accept>()
  readonly #emitter = new Emitter<EndpointEvents>()

  constructor({ id, networkId, process, port }: EndpointOptions) {
    this.id = id
    this.networkId = networkId
    this.process = process
    this.port = port
  }

  /** Offers a protocol: `accept` gets each stream that another node opens, with the address that it came from. */
  offer(protocol: StreamProtocol, accept: Accept): void {
    this.#accept.set(protocol, accept)
  }

  acceptor(protocol: StreamProtocol): Accept | undefined {
    return this.#accept.get(protocol)
  }

  /** Nodes with an open connection. */
  peers(): DidKey[] {
    return [...this.#connections.keys()]
  }

  /** All connections, or those to one node. */
  connections(id?: DidKey): Connection[] {
    if (id !== undefined) return [...(this.#connections.get(id) ?? [])]
    return [...this.#connections.values()].flatMap((connections) => [...connections])
  }

  /** An open connection to a node: the one that has been open for longest, a direct one where there is one. */
  connection(id: DidKey): Connection | undefined {
    const connections = this.#connections.get(id)
    const first = connections?.values().next().value
    if (first?.relayed !== true) return first
    return connections?.values().find(({ relayed }) => !relayed) ?? first
  }

  onPeer(listener: (id: DidKey, connected: boolean) => void): () => void {
    return this.#emitter.on('peer', ({ id, connected }) => listener(id, connected))
  }

  /** Calls back at each connection that is made, from either side; returns the unsubscribe function. */
  onConnection(listener: (connection: Connection) => void): () => void {
    return this.#emitter.on('connection', listener)
  }

  opened(connection: Connection): void {
    const to = connection.other(this).id
    const connections = this.#connections.get(to) ?? new Set()
    this.#connections.set(to, connections.add(connection))
    this.#emitter.emit('connection', connection)
    if (connections.size === 1) this.#emitter.emit('peer', { id: to, connected: true })
  }

  closed(connection: Connection, to: DidKey): void {
    const connections = this.#connections.get(to)
    if (connections?.delete(connection) !== true || connections.size > 0) return
    this.#connections.delete(to)
    this.#emitter.emit('peer', { id: to, connected: false })
  }

  /**
   * Opens a stream; it takes one round trip until it is known that the other side offers the protocol.
   * @throws WeftError E_NODE_UNREACHABLE, E_NETWORK_MISMATCH, E_PROTOCOL_NOT_OFFERED
   */
  openStream(connection: Connection, protocol: StreamProtocol): Promise<ByteStream> {
    const remote = connection.other(this)
    const { promise, resolve, reject } = Promise.withResolvers<ByteStream>()
    const forget = connection.onClose(this, () => reject(lost(remote.id)))
    const cancel = this.process.clock.after(NEGOTIATION_TIMEOUT_MS, () => reject(lost(remote.id)))
    connection.send(this, NEGOTIATION, () => {
      const accept = remote.networkId === this.networkId ? remote.acceptor(protocol) : undefined
      if (accept === undefined) {
        connection.send(remote, NEGOTIATION, () => reject(this.#refusalOf(remote, protocol)))
        return
      }
      const [near, far] = SimulatedStream.pair(connection, this, remote)
      if (protocol !== 'rpc') {
        connection.bulk++
        void near.closed.then(() => connection.bulk--)
      }
      connection.send(remote, NEGOTIATION, () => resolve(near))
      accept(far, connection.addressOf(this))
    })
    return promise.finally(() => {
      forget()
      cancel()
    })
  }

  #refusalOf({ id, networkId }: ConnectionEnd, protocol: StreamProtocol): WeftError {
    if (networkId === this.networkId) return notOffered(id, protocol)
    return new WeftError({
      code: 'E_NETWORK_MISMATCH',
      cause: `${shortId(id)} belongs to the network ${networkId}, this node to ${this.networkId}.`,
      fix: 'Start both with the same network file.',
    })
  }
}

function notOffered(id: DidKey, protocol: StreamProtocol): WeftError {
  return new WeftError({
    code: 'E_PROTOCOL_NOT_OFFERED',
    cause: `${shortId(id)} does not offer the protocol '${protocol}'.`,
    fix: 'Ask a node whose role offers it.',
  })
}

function lost(id: DidKey): WeftError {
  return new WeftError({
    code: 'E_NODE_UNREACHABLE',
    cause: `The connection to ${shortId(id)} was lost.`,
    fix: 'Try again, or use another node.',
    retryable: true,
  })
}
