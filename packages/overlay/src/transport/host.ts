import type {
  ComponentLogger,
  ConnectionGater,
  Libp2p,
  Logger as Libp2pLogger,
  PrivateKey,
  ServiceMap,
  Transport,
} from '@libp2p/interface'
import { type Identify, identify } from '@libp2p/identify'
import { type Ping, ping } from '@libp2p/ping'
import { yamux } from '@libp2p/yamux'
import type { Clock } from '@weft/core'
import { MiB } from '@weft/wire'
import { type ServiceFactoryMap, createLibp2p } from 'libp2p'
import { gatedTcp } from './gated-tcp.ts'
import { GATER } from './gater.ts'
import { InboundGate } from './inbound-gate.ts'
import { type NoiseComponents, lazyNoise } from './lazy-noise.ts'
import type { PunchPort } from './punch/punch-port.ts'
import { RelayClient } from './relay/relay-client.ts'
import { type OpenThrough, type ThroughComponents, ThroughTransport } from './through-transport.ts'
import type { WayComponents } from './way-transport.ts'
import { type ListenAddress, toMultiaddr } from './listen-address.ts'
import {
  ADDRESS_DIAL_TIMEOUT_MS,
  INBOUND_UPGRADE_TIMEOUT_MS,
  MAX_ADDRESSES,
  MAX_CONNECTIONS,
  MAX_CONNECTION_RATE,
  MAX_PENDING_CONNECTIONS,
  MAX_PING_STREAMS,
  MAX_STREAMS,
  MAX_STREAM_WINDOW,
  MONITOR_INTERVAL_MS,
  MONITOR_TIMEOUT_MS,
  NEGOTIATION_TIMEOUT_MS,
  STREAM_WINDOW,
  THROUGH_DIAL_MS,
} from './limits.ts'
import { type TlsComponents, TlsEncrypter } from './tls/tls-encrypter.ts'
import { WebSocketTransport } from './websocket/web-socket-transport.ts'

interface BaseServices extends ServiceMap {
  readonly identify: Identify
  readonly ping: Ping
}
export type Host = Libp2p<BaseServices>

export interface HostOptions {
  readonly privateKey: PrivateKey
  readonly listen: readonly ListenAddress[]
  readonly announce: readonly string[]
  /**
   * Whether Noise is spoken where the other side does not speak TLS. The choice is made in the clear, so that whoever
   * stands between two nodes that both speak Noise can make them use it, and Noise is not post-quantum.
   */
  readonly noise: boolean
  readonly clock: Clock
  /** Asked beside GATER. */
  readonly gater?: ConnectionGater
  readonly gate?: InboundGate
  /** Behind the same gate. */
  readonly relays?: RelayClient
  /** The port that all calls are made from; by default any. */
  readonly punch?: PunchPort
  /** By way of whom all calls go, in place of TCP and WebSockets; this node listens to nobody then. */
  readonly through?: OpenThrough | undefined
  /** What it calls by in place of TCP, WebSockets and relays, and the ms that this may take. */
  readonly only?: {
    readonly transport: (components: WayComponents) => Transport
    readonly dialMs: number
    /** Bytes that a connection takes before it asks its writer to wait. */
    readonly buffer: number
  }
}

/**
 * A started libp2p host with what Weft uses of it and nothing else: no DHT, no dialling on its own, no relay that it did
 * not choose.
 * @param more services beside identify and ping
 */
export async function createHost<More extends ServiceMap>(
  options: HostOptions,
  more: ServiceFactoryMap<More>,
): Promise<Libp2p<BaseServices & More>> {
  const { gate = new InboundGate(options.clock) } = options
  const { relays = new RelayClient(gate) } = options
  const dialMs = options.only?.dialMs ?? (options.through === undefined ? ADDRESS_DIAL_TIMEOUT_MS : THROUGH_DIAL_MS)
  const base: ServiceFactoryMap<BaseServices> = {
    identify: identify({ maxInboundStreams: 2, maxOutboundStreams: 2 }),
    ping: ping({ maxInboundStreams: MAX_PING_STREAMS, maxOutboundStreams: MAX_PING_STREAMS }),
  }
  return createLibp2p<BaseServices & More>({
    privateKey: options.privateKey,
    addresses: {
      listen: options.listen.map(toMultiaddr),
      announce: [...options.announce],
    },
    nodeInfo: { name: 'weft', version: '1', userAgent: 'weft' },
    logger: silent,
    transports: options.only === undefined ? usualTransports(options, gate, relays) : [options.only.transport],
    connectionEncrypters: [
      (components: TlsComponents) => new TlsEncrypter(components, options.clock, options.only?.buffer),
      ...(options.noise ? [lazyNoise] : []),
    ],
    streamMuxers: [
      yamux({
        maxInboundStreams: MAX_STREAMS,
        maxOutboundStreams: MAX_STREAMS,
        streamOptions: {
          initialStreamWindowSize: STREAM_WINDOW,
          maxStreamWindowSize: MAX_STREAM_WINDOW,
          // A paused stream holds at most its window; more means that the sender ignores windows.
          maxReadBufferLength: MAX_STREAM_WINDOW + STREAM_WINDOW,
          maxWriteBufferLength: 8 * MiB,
        },
      }),
    ],
    connectionGater: { ...options.gater, ...GATER },
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      // The gate counts first; libp2p lets go of a connection that gave way there a moment later.
      maxIncomingPendingConnections: 2 * MAX_PENDING_CONNECTIONS,
      inboundConnectionThreshold: MAX_CONNECTION_RATE,
      maxPeerAddrsToDial: MAX_ADDRESSES,
      dialTimeout: dialMs,
      addressDialTimeout: dialMs,
      inboundUpgradeTimeout: INBOUND_UPGRADE_TIMEOUT_MS,
      inboundStreamProtocolNegotiationTimeout: NEGOTIATION_TIMEOUT_MS,
      outboundStreamProtocolNegotiationTimeout: NEGOTIATION_TIMEOUT_MS,
      reconnectRetries: 0,
    },
    connectionMonitor: {
      pingInterval: MONITOR_INTERVAL_MS,
      pingTimeout: { minTimeout: MONITOR_TIMEOUT_MS },
      // Whoever opens ways knows when they are over.
      abortConnectionOnPingFailure: options.only === undefined,
    },
    services: { ...base, ...more } as ServiceFactoryMap<BaseServices & More>,
  })
}

type TransportFactory = NonNullable<NonNullable<Parameters<typeof createLibp2p>[0]>['transports']>[number]

function usualTransports({ punch, through }: HostOptions, gate: InboundGate, relays: RelayClient): TransportFactory[] {
  if (through !== undefined)
    return [(components: ThroughComponents) => new ThroughTransport(components, through), relays.transport]
  return [
    gatedTcp(gate, punch),
    (components: NoiseComponents) => new WebSocketTransport({ gate, logger: silent, browsers: lazyNoise(components) }),
    relays.transport,
  ]
}

/** libp2p's own words hold addresses of clients and are many; what matters is logged by this package. */
const silentLog: Libp2pLogger = Object.assign(() => {}, {
  error: () => {},
  trace: () => {},
  enabled: false,
  newScope: () => silentLog,
})
const silent: ComponentLogger = { forComponent: () => silentLog }
