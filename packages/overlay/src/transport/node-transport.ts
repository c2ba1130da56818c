import type { Connection, IdentifyResult, PeerId, Stream } from '@libp2p/interface'
import {
  type Clock,
  Emitter,
  type Logger,
  type Scope,
  WeftError,
  equalBytes,
  messageOf,
  orAborted,
  systemRandom,
  throwIfAborted,
} from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import { protocolId } from '@weft/wire'
import type { ByteStream, Streams } from '../byte-stream.ts'
import type { Rpc } from '../rpc.ts'
import type { Dialer } from './dialer.ts'
import type { Host } from './host.ts'
import { Libp2pByteStream } from './libp2p-byte-stream.ts'
import { MAX_RPC_STREAMS, MAX_SHARD_STREAMS, STRANGER_GRACE_MS } from './limits.ts'
import { remoteHost } from '../network/remote-host.ts'
import type { Observations } from './observations.ts'
import type { PunchPort } from './punch/punch-port.ts'
import { networkAmong } from './network-check.ts'
import { didOfPeer, toPeerId } from './peer-id.ts'
import { forgetGonePeers } from './forget-gone-peers.ts'
import type { PubSub } from './pub-sub.ts'
import { isStanding } from './is-standing.ts'
import type { RelayClient } from './relay/relay-client.ts'
import type { RpcService } from './rpc-service.ts'
import type { Probe, Transport } from './transport.ts'

export interface NodeTransportOptions {
  readonly self: DidKey
  readonly networkId: string
  readonly host: Host
  readonly dialer: Dialer
  readonly relays: RelayClient
  readonly observations: Observations
  readonly punch: PunchPort | undefined
  readonly rpc: RpcService
  readonly pubsub: PubSub
  readonly clock: Clock
  readonly logger: Logger
  /** Owns the host; closing it closes everything. */
  readonly scope: Scope
  readonly probe: Transport['probe']
}

interface PeerEvents {
  readonly seen: undefined
  readonly peer: { readonly id: DidKey; readonly connected: boolean }
}

/** The parts of a transport put together, and the watch over who of our network is connected. */
export class NodeTransport implements Transport {
  readonly self: DidKey
  readonly pubsub: PubSub
  readonly #options: NodeTransportOptions
  readonly #peers = new Set<DidKey>()
  readonly #events = new Emitter<PeerEvents>()

  constructor(options: NodeTransportOptions) {
    this.#options = options
    this.self = options.self
    this.pubsub = options.pubsub
    const { host } = options
    host.addEventListener('peer:identify', (event) => this.#onIdentified(event.detail))
    host.addEventListener('peer:disconnect', (event) => this.#onDisconnect(event.detail))
    forgetGonePeers(host)
    this.handle('peer.ping', async ({ nonce }) => ({ nonce }))
  }

  /** Begins to answer control streams; before it, this node looks like one of no network. */
  async start(): Promise<void> {
    const { host, networkId, rpc } = this.#options
    await host.handle(
      protocolId(networkId, 'rpc'),
      (stream, connection) => {
        this.#greet(connection.remotePeer)
        void rpc.serve(this.#wrap(stream, connection), connection.remoteAddr.toString())
      },
      { maxInboundStreams: MAX_RPC_STREAMS, runOnLimitedConnection: true },
    )
  }

  call: Rpc['call'] = (to, method, request, options) => this.#options.rpc.call(to, method, request, options)

  handle: Rpc['handle'] = (method, handler) => this.#options.rpc.handle(method, handler)

  async open(to: DidKey, protocol: 'shard', signal?: AbortSignal): Promise<ByteStream> {
    return new Libp2pByteStream(await this.#options.dialer.openStream(to, protocol, signal), to)
  }

  handleStream: Streams['handleStream'] = (protocol, handler) => {
    const { host, networkId, scope, logger } = this.#options
    const serve = async (raw: Stream, connection: Connection): Promise<void> => {
      const stream = this.#wrap(raw, connection)
      const over = new AbortController()
      const end = (): void => over.abort()
      void stream.closed.then(end)
      try {
        await handler(stream, AbortSignal.any([scope.signal, over.signal]))
      } catch (error) {
        logger.debug('a stream was aborted by its handler', {
          peer: shortId(stream.remote),
          protocol,
          error: messageOf(error),
        })
        stream.abort(error instanceof Error ? error : new Error(String(error)))
      } finally {
        end()
      }
    }
    host
      .handle(protocolId(networkId, protocol), (stream, connection) => void serve(stream, connection), {
        maxInboundStreams: MAX_SHARD_STREAMS,
        // Who probes this node over a relay gets to see what it does; what a relay carries is little (limits.ts).
        runOnLimitedConnection: true,
      })
      .catch((error: unknown) =>
        logger.error('a stream protocol cannot be offered', { protocol, error: messageOf(error) }),
      )
  }

  listenAddresses(): string[] {
    return this.#options.host
      .getMultiaddrs()
      .map((address) => address.decapsulate(`/p2p/${this.#options.host.peerId.toString()}`).toString())
  }

  async connect(id: DidKey, addresses?: readonly string[], signal?: AbortSignal): Promise<void> {
    if (addresses !== undefined) await this.#options.dialer.connection(id, addresses, signal)
    await this.#options.rpc.open(id, signal)
    this.#add(id)
  }

  connected(): readonly DidKey[] {
    return [...this.#peers]
  }

  unused(ms: number): readonly DidKey[] {
    const { host, relays, rpc } = this.#options
    return [...this.#peers].filter((id) => {
      const peer = toPeerId(id)
      if (rpc.idleMs(id) < ms || relays.has(peer)) return false
      const connections = host.getConnections(peer)
      return (
        connections.some(({ direction }) => direction === 'outbound') &&
        connections.every((one) => this.#isUnused(one, ms))
      )
    })
  }

  async disconnect(id: DidKey): Promise<void> {
    await this.#options.host.hangUp(toPeerId(id))
  }

  seenAt(): string | undefined {
    return this.#options.observations.host()
  }

  onSeen(listener: () => void): void {
    this.#events.on('seen', listener)
  }

  async reserve(relay: DidKey, signal?: AbortSignal): Promise<void> {
    const { dialer, relays } = this.#options
    await dialer.connection(relay, undefined, signal)
    try {
      await orAborted(relays.reserve(toPeerId(relay)), signal)
    } catch (error) {
      throwIfAborted(signal)
      throw noPlace(relay, error)
    }
  }

  onRelayLost(listener: (relay: DidKey) => void): void {
    this.#options.relays.onLost((relay) => listener(didOfPeer(relay)))
  }

  isDirect(id: DidKey): boolean {
    const connection = this.#options.dialer.existing(id)
    return connection !== undefined && connection.limits === undefined
  }

  onPeer(listener: (id: DidKey, connected: boolean) => void): () => void {
    return this.#events.on('peer', ({ id, connected }) => listener(id, connected))
  }

  async ping(id: DidKey, signal?: AbortSignal): Promise<number> {
    const { rpc, clock } = this.#options
    // Opened before the clock starts: the figure is that of one round trip.
    await rpc.open(id, signal)
    const nonce = systemRandom.bytes(PING_NONCE)
    const start = clock.monotonic()
    const limits = { timeoutMs: PING_TIMEOUT_MS, ...(signal !== undefined && { signal }) }
    const answer = await rpc.call(id, 'peer.ping', { nonce }, limits)
    const rtt = clock.monotonic() - start
    if (!equalBytes(answer.nonce, nonce)) throw wrongPong(id)
    return rtt
  }

  probe(address: string, id: DidKey, signal?: AbortSignal): Promise<Probe> {
    return this.#options.probe(address, id, signal)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#options.scope.close()
  }

  #isUnused({ timeline, streams }: Connection, ms: number): boolean {
    const { networkId, clock } = this.#options
    return clock.now() - timeline.open >= ms && streams.every(({ protocol }) => isStanding(protocol, networkId))
  }

  #wrap(stream: Stream, connection: Connection): Libp2pByteStream {
    return new Libp2pByteStream(stream, didOfPeer(connection.remotePeer))
  }

  #greet(peer: PeerId): void {
    this.#add(didOfPeer(peer))
  }

  #add(id: DidKey): void {
    if (this.#peers.has(id) || this.#options.dialer.existing(id) === undefined) return
    this.#peers.add(id)
    this.#events.emit('peer', { id, connected: true })
  }

  #onDisconnect(peer: PeerId): void {
    const id = didOfPeer(peer)
    if (this.#peers.delete(id)) this.#events.emit('peer', { id, connected: false })
  }

  /** What a node that was called says of where the call came from. What it was called by is what it chose to be. */
  #note({ connection, observedAddr }: IdentifyResult): void {
    if (connection.direction !== 'outbound' || connection.limits !== undefined || observedAddr === undefined) return
    const seen = observedAddr.toString()
    const [host, port] = [remoteHost(seen), /\/tcp\/(\d{1,5})/.exec(seen)?.[1]]
    if (host === undefined || port === undefined) return
    const { observations, punch } = this.#options
    const from = connection.remoteAddr.toString()
    observations.add({ from, host, port: Number(port), shared: punch?.made(connection) === true })
    this.#events.emit('seen', undefined)
  }

  #onIdentified(result: IdentifyResult): void {
    const { protocols, connection, peerId } = result
    const { networkId, clock, logger } = this.#options
    const network = networkAmong(protocols, networkId)
    if (network === networkId) {
      this.#note(result)
      this.#greet(peerId)
      return
    }
    // At debug: anybody can cause it as often as they like.
    logger.debug('a node of another network is dropped', {
      peer: shortId(didOfPeer(peerId)),
      network: network === null ? 'another' : (network ?? 'none'),
    })
    // Not at once: the other side needs its own identify to see why.
    const cancel = clock.after(STRANGER_GRACE_MS, () => connection.abort(strange(network)))
    connection.addEventListener('close', cancel)
  }
}

/** ms. */
const PING_TIMEOUT_MS = 5_000
/** Bytes. */
const PING_NONCE = 16

function noPlace(relay: DidKey, origin: unknown): WeftError {
  return new WeftError({
    code: 'E_RELAY_REFUSED',
    cause: `${shortId(relay)} gives this node no place as its relay: ${messageOf(origin)}.`,
    fix: 'Nothing to do: the node asks another relay.',
    retryable: true,
    details: { relay },
    origin,
  })
}

function wrongPong(id: DidKey): WeftError {
  return new WeftError({
    code: 'E_PROTOCOL',
    cause: `${shortId(id)} answered a ping with other bytes than it was sent.`,
    fix: 'That node has to speak docs/specs/rpc.md; update the older of the two.',
    details: { node: id },
  })
}

function strange(network: string | null | undefined): WeftError {
  return new WeftError({
    code: 'E_NETWORK_MISMATCH',
    cause: `The peer belongs to ${network === undefined ? 'no network of Weft' : network === null ? 'another network' : `the network ${network}`}.`,
    fix: 'Start both with the same network file.',
  })
}
