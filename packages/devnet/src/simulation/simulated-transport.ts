import {
  Emitter,
  type Random,
  type Scope,
  WeftError,
  abortError,
  messageOf,
  orAborted,
  throwIfAborted,
} from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import {
  type ByteStream,
  CALL_TIMEOUT_MS,
  CallLimiter,
  Observations,
  type Probe,
  type PubSub,
  type Rpc,
  RpcDispatcher,
  RpcService,
  type Streams,
  type Transport,
  type TransportOptions,
  untilDirect,
} from '@weft/overlay'
import type { StreamProtocol } from '@weft/wire'
import type { Connection } from './connection.ts'
import { HolePunch } from './hole-punch.ts'
import { SimulatedDialer } from './simulated-dialer.ts'
import { SimulatedEndpoint } from './simulated-endpoint.ts'
import type { SimulatedInternet } from './simulated-internet.ts'
import { simulatedProbe } from './simulated-probe.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import { SimulatedPubSub } from './simulated-pub-sub.ts'
import { SimulatedRelay } from './simulated-relay.ts'

export interface SimulatedTransportOptions extends TransportOptions {
  readonly internet: SimulatedInternet
  readonly process: SimulatedProcess
  readonly random: Random
}

/** The local TCP port that a node makes all its calls from, other than the one that it listens on. */
const CALL_PORT = 20_000
/** The address of a machine behind its router. */
const INNER_HOST = '192.168.0.2'
/** Bytes of a ping and of its answer in their frames. */
const PING = 48

/**
 * A node's end of a simulated network. Calls run through the frames, limits and access rules of the real transport;
 * what lies below them, sockets, TLS and the muxer, is played by `SimulatedConnection`. A ping is a message there and
 * one back without the frames: of thousands of nodes these are most of what happens.
 */
export class SimulatedTransport implements Transport {
  readonly self: DidKey
  readonly pubsub: PubSub
  readonly #options: SimulatedTransportOptions
  readonly #scope: Scope
  readonly #endpoint: SimulatedEndpoint
  readonly #addresses: readonly string[]
  readonly #rpc: RpcService
  readonly #dialer: SimulatedDialer
  readonly #observations = new Observations()
  /** Relays at which this node has a place. */
  readonly #relays = new Set<DidKey>()
  readonly #events = new Emitter<{ readonly seen: undefined; readonly relayLost: DidKey }>()

  constructor(options: SimulatedTransportOptions) {
    const { key, networkId, process, internet, access, logger, random } = options
    this.#options = options
    this.self = key.id
    const scope = options.scope.child('transport')
    this.#scope = scope
    const { site } = process
    const [listen] = options.listen
    const inner = site.nat === undefined ? site.address : INNER_HOST
    this.#addresses = listen === undefined ? [] : [`/ip4/${inner}/tcp/${listen.port}`]
    this.#endpoint = new SimulatedEndpoint({ id: key.id, networkId, process, port: CALL_PORT })
    internet.attach(this.#endpoint, listen === undefined ? undefined : `/ip4/${site.address}/tcp/${listen.port}`)
    scope.defer('endpoint', () => internet.detach(this.#endpoint))
    this.pubsub = new SimulatedPubSub({ endpoint: this.#endpoint, access, random, logger })
    this.#rpc = new RpcService({
      self: key.id,
      clock: process.clock,
      logger,
      dispatcher: new RpcDispatcher(access, new CallLimiter(process.clock, access)),
      openControl: (to, signal) => this.#openStream(to, 'rpc', signal),
      closing: scope.signal,
    })
    scope.defer('control streams', () => this.#rpc.close())
    this.#dialer = new SimulatedDialer({ endpoint: this.#endpoint, internet, lookup: options.lookup })
    if (options.relay === true) new SimulatedRelay(this.#endpoint, access)
    const punch = new HolePunch({
      endpoint: this.#endpoint,
      internet,
      observations: this.#observations,
      lookup: options.lookup,
      signal: scope.signal,
    })
    this.#endpoint.onConnection((connection) => {
      if (!connection.relayed) this.#onDirect(connection)
      else if (!connection.isDialler(this.#endpoint)) punch.upgrade(connection).catch(() => {})
    })
    this.#endpoint.offer('rpc', (stream, address) => void this.#rpc.serve(stream, address))
    this.handle('peer.ping', async ({ nonce }) => ({ nonce }))
  }

  call: Rpc['call'] = (to, method, request, options) => this.#rpc.call(to, method, request, options)

  handle: Rpc['handle'] = (method, handler) => this.#rpc.handle(method, handler)

  open(to: DidKey, protocol: 'shard', signal?: AbortSignal): Promise<ByteStream> {
    return this.#openStream(to, protocol, signal)
  }

  handleStream: Streams['handleStream'] = (protocol, handler) => {
    const { logger } = this.#options
    this.#endpoint.offer(protocol, (stream) => {
      const over = new AbortController()
      void stream.closed.then(() => over.abort())
      handler(stream, AbortSignal.any([this.#scope.signal, over.signal])).catch((error: unknown) => {
        logger.debug('a stream was aborted by its handler', { protocol, error: messageOf(error) })
        stream.abort(error instanceof Error ? error : new Error(String(error)))
      })
    })
  }

  listenAddresses(): string[] {
    return [...this.#addresses]
  }

  async connect(id: DidKey, addresses?: readonly string[], signal?: AbortSignal): Promise<void> {
    if (addresses !== undefined) await this.#connection(id, addresses, signal)
    await this.#rpc.open(id, signal)
  }

  connected(): readonly DidKey[] {
    return this.#endpoint.peers()
  }

  unused(ms: number): readonly DidKey[] {
    const { clock } = this.#options.process
    const isUnused = ({ openedAt, bulk }: Connection): boolean => bulk === 0 && clock.monotonic() - openedAt >= ms
    return this.#endpoint.peers().filter((id) => {
      const connections = this.#endpoint.connections(id)
      const isOwn = connections.some((connection) => connection.isDialler(this.#endpoint))
      return isOwn && !this.#relays.has(id) && this.#rpc.idleMs(id) >= ms && connections.every(isUnused)
    })
  }

  async disconnect(id: DidKey): Promise<void> {
    for (const connection of this.#endpoint.connections(id)) connection.close(this.#endpoint)
  }

  onPeer(listener: (id: DidKey, connected: boolean) => void): () => void {
    return this.#endpoint.onPeer(listener)
  }

  seenAt(): string | undefined {
    return this.#observations.host()
  }

  onSeen(listener: () => void): void {
    this.#events.on('seen', listener)
  }

  isDirect(id: DidKey): boolean {
    return this.#endpoint.connection(id)?.relayed === false
  }

  async reserve(relay: DidKey, signal?: AbortSignal): Promise<void> {
    const connection = await this.#connection(relay, undefined, signal)
    await orAborted(SimulatedRelay.reserve(this.#endpoint, connection), signal)
    this.#relays.add(relay)
    connection.onClose(this.#endpoint, () => {
      this.#relays.delete(relay)
      this.#events.emit('relayLost', relay)
    })
  }

  onRelayLost(listener: (relay: DidKey) => void): void {
    this.#events.on('relayLost', listener)
  }

  async ping(id: DidKey, signal?: AbortSignal): Promise<number> {
    const { clock } = this.#options.process
    const endpoint = this.#endpoint
    const connection = endpoint.connection(id) ?? (await this.#connection(id, undefined, signal))
    throwIfAborted(signal)
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const start = clock.monotonic()
    const onAbort = (): void => reject(abortError(signal))
    const forget = connection.onClose(endpoint, () => reject(lost(id)))
    signal?.addEventListener('abort', onAbort, { once: true })
    const remote = connection.other(endpoint)
    connection.send(endpoint, PING, () => connection.send(remote, PING, () => resolve(clock.monotonic() - start)))
    try {
      return await promise
    } finally {
      forget()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  probe(address: string, id: DidKey, signal?: AbortSignal): Promise<Probe> {
    const { internet, process, networkId, random, logger, lookup } = this.#options
    return simulatedProbe({
      internet,
      process,
      networkId,
      random,
      logger,
      lookup,
      scope: this.#scope,
      address,
      target: id,
      signal,
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scope.close()
  }

  async #openStream(to: DidKey, protocol: StreamProtocol, signal: AbortSignal | undefined): Promise<ByteStream> {
    const some = await this.#connection(to, undefined, signal)
    const connection = !some.relayed || protocol === 'rpc' ? some : await this.#direct(to, protocol, signal)
    return this.#endpoint.openStream(connection, protocol)
  }

  /** An open connection, or a new one. @throws WeftError E_NODE_UNREACHABLE, E_RELAY_REFUSED, E_ABORTED */
  #connection(id: DidKey, addresses: readonly string[] | undefined, signal: AbortSignal | undefined) {
    return orAborted(this.#dialer.connection(id, addresses, this.#scope.signal), signal)
  }

  /** Waits for the direct connection that follows a relayed one where the two sides can make one. */
  async #direct(id: DidKey, protocol: StreamProtocol, signal: AbortSignal | undefined): Promise<Connection> {
    const endpoint = this.#endpoint
    const listen = (found: (connection: Connection) => void): (() => void) =>
      endpoint.onConnection((connection) => {
        if (!connection.relayed && connection.other(endpoint).id === id) found(connection)
      })
    const { clock } = this.#options.process
    return untilDirect({ id, protocol, clock, signals: [signal, this.#scope.signal], listen })
  }

  /** The node at the other side says where it sees this one; what goes over a relay to it ends after the calls that are under way. */
  #onDirect(connection: Connection): void {
    const endpoint = this.#endpoint
    const other = connection.other(endpoint)
    if (connection.isDialler(endpoint)) {
      const [, , host = '', , port] = connection.addressOf(endpoint).split('/')
      this.#observations.add({ from: connection.addressOf(other), host, port: Number(port), shared: true })
      this.#events.emit('seen', undefined)
    }
    const relayed = endpoint.connections(other.id).filter((each) => each.relayed)
    if (relayed.length === 0) return
    this.#rpc.renew(other.id)
    this.#options.process.clock.after(CALL_TIMEOUT_MS, () => relayed.forEach((each) => each.close(endpoint)))
  }
}

function lost(id: DidKey): WeftError {
  return new WeftError({
    code: 'E_NODE_UNREACHABLE',
    cause: `The connection to ${shortId(id)} was lost before it answered.`,
    fix: 'Try again, or use another node; `weft peers` shows which are connected.',
    retryable: true,
  })
}
