import { type Random, type Scope, WeftError, abortError, messageOf, orAborted, throwIfAborted } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import {
  type ByteStream,
  CallLimiter,
  type Probe,
  type PubSub,
  type Rpc,
  RpcDispatcher,
  RpcService,
  type Streams,
  type Transport,
  type TransportOptions,
} from '@weft/overlay'
import type { StreamProtocol } from '@weft/wire'
import type { SimulatedConnection } from './simulated-connection.ts'
import { SimulatedEndpoint } from './simulated-endpoint.ts'
import type { SimulatedInternet } from './simulated-internet.ts'
import { simulatedProbe } from './simulated-probe.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import { SimulatedPubSub } from './simulated-pub-sub.ts'

export interface SimulatedTransportOptions extends TransportOptions {
  readonly internet: SimulatedInternet
  readonly process: SimulatedProcess
  readonly random: Random
}

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
  readonly #dialling = new Map<DidKey, Promise<SimulatedConnection>>()

  constructor(options: SimulatedTransportOptions) {
    const { key, networkId, process, internet, access, logger, random } = options
    this.#options = options
    this.self = key.id
    const scope = options.scope.child('transport')
    this.#scope = scope
    this.#addresses = options.listen.map(({ host, port }) => `/ip4/${host}/tcp/${port}`)
    this.#endpoint = new SimulatedEndpoint({ id: key.id, networkId, process })
    internet.attach(this.#endpoint, this.#addresses[0])
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
    const isUnused = ({ openedAt, bulk }: SimulatedConnection): boolean =>
      bulk === 0 && clock.monotonic() - openedAt >= ms
    return this.#endpoint.peers().filter((id) => {
      const connections = this.#endpoint.connections(id)
      const isOwn = connections.some((connection) => connection.isDialler(this.#endpoint))
      return isOwn && this.#rpc.idleMs(id) >= ms && connections.every(isUnused)
    })
  }

  async disconnect(id: DidKey): Promise<void> {
    for (const connection of this.#endpoint.connections(id)) connection.close(this.#endpoint)
  }

  onPeer(listener: (id: DidKey, connected: boolean) => void): () => void {
    return this.#endpoint.onPeer(listener)
  }

  /** Between two machines of a simulation there is no NAT. */
  seenAt(): string {
    return this.#options.process.site.address
  }

  /** It is known from the start. */
  onSeen(): void {}

  isDirect(id: DidKey): boolean {
    return this.#endpoint.connection(id) !== undefined
  }

  async reserve(relay: DidKey): Promise<never> {
    throw noRelays(relay)
  }

  onRelayLost(): void {}

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
    const { internet, process, networkId, random, logger } = this.#options
    return simulatedProbe({
      internet,
      process,
      networkId,
      random,
      logger,
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
    const connection = await this.#connection(to, undefined, signal)
    return this.#endpoint.openStream(connection, protocol)
  }

  /** An open connection, or a new one; all who want the same node share one dial. @throws WeftError E_NODE_UNREACHABLE, E_ABORTED */
  async #connection(
    id: DidKey,
    addresses: readonly string[] | undefined,
    signal: AbortSignal | undefined,
  ): Promise<SimulatedConnection> {
    const existing = this.#endpoint.connection(id)
    if (existing !== undefined) return existing
    let dialling = this.#dialling.get(id)
    if (dialling === undefined) {
      dialling = this.#dial(id, addresses ?? this.#options.lookup(id)).finally(() => this.#dialling.delete(id))
      this.#dialling.set(id, dialling)
    }
    return orAborted(dialling, signal)
  }

  async #dial(id: DidKey, addresses: readonly string[]): Promise<SimulatedConnection> {
    const { signal } = this.#scope
    if (addresses.length === 0) throw unknownAddress(id)
    let last: unknown
    for (const address of addresses) {
      try {
        return await this.#options.internet.dial(this.#endpoint, address, id, signal)
      } catch (error) {
        throwIfAborted(signal)
        last = error
      }
    }
    throw last
  }
}

function unknownAddress(id: DidKey): WeftError {
  return new WeftError({
    code: 'E_NODE_UNREACHABLE',
    cause: `No address of ${shortId(id)} is known.`,
    fix: 'Wait for the signed map, or name its address.',
    retryable: true,
  })
}

function noRelays(relay: DidKey): WeftError {
  return new WeftError({
    code: 'E_RELAY_REFUSED',
    cause: `${shortId(relay)} is no relay: in a simulated network every machine is reached directly.`,
    fix: 'Try relays between real nodes.',
    details: { relay },
  })
}

function lost(id: DidKey): WeftError {
  return new WeftError({
    code: 'E_NODE_UNREACHABLE',
    cause: `The connection to ${shortId(id)} was lost before it answered.`,
    fix: 'Try again, or use another node; `weft peers` shows which are connected.',
    retryable: true,
  })
}
