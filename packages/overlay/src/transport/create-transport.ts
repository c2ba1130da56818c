import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import type { GossipSub } from '@libp2p/gossipsub'
import type { Libp2p, ServiceMap } from '@libp2p/interface'
import { type Clock, type Logger, type Scope, WeftError, messageOf, systemRandom } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import { CallLimiter } from './call-limiter.ts'
import { Dialer } from './dialer.ts'
import { GossipPubSub, pubsubOptions } from './gossip-pub-sub.ts'
import { type Host, type HostOptions, createHost } from './host.ts'
import { InboundGate } from './inbound-gate.ts'
import type { ListenAddress } from './listen-address.ts'
import { Libp2pByteStream } from './libp2p-byte-stream.ts'
import { MemberGossip } from './member-gossip.ts'
import { NodeTransport } from './node-transport.ts'
import { Observations } from './observations.ts'
import { toPrivateKey } from './peer-id.ts'
import { createProbe } from './probe.ts'
import { holePuncher } from './punch/hole-puncher.ts'
import { PunchPort } from './punch/punch-port.ts'
import { callBack } from './relay/call-back.ts'
import { RelayClient } from './relay/relay-client.ts'
import { RelayGate } from './relay/relay-gate.ts'
import { relayServer } from './relay/relay-server.ts'
import { retireRelayed } from './relay/retire-relayed.ts'
import { RpcDispatcher } from './rpc-dispatcher.ts'
import { RpcService } from './rpc-service.ts'
import { StrangerPlaces } from './stranger-places.ts'
import { THROUGH_DIAL_MS } from './limits.ts'
import type { OpenThrough } from './through-transport.ts'
import type { AccessPolicy, Transport } from './transport.ts'

export interface TransportOptions {
  readonly networkId: string
  readonly key: SigningKey
  /** Empty for a pure client. */
  readonly listen: readonly ListenAddress[]
  /** Multiaddrs to publish instead of those listened on. */
  readonly announce?: readonly string[]
  readonly clock: Clock
  readonly logger: Logger
  /** The transport closes with it. */
  readonly scope: Scope
  readonly access: AccessPolicy
  /**
   * Also speak Noise, for peers without TLS; default false. Between two nodes that both do, whoever stands between them
   * can choose it, and what is recorded then is open to a later quantum computer (docs/adr/0007-tls-only.md).
   */
  readonly noise?: boolean
  /**
   * Whether this node makes all its calls from one port, and direct connections to nodes behind NAT through the holes
   * that this leaves; default false, for networks without NAT.
   */
  readonly punch?: boolean
  /** Whether this node is a relay for others (role relay). */
  readonly relay?: boolean
  /** Multiaddrs of a node, from the signed map or the network file. */
  readonly lookup: (id: DidKey) => readonly string[]
  /** By way of whom all calls go; for a pure client. By default this node calls by itself. */
  readonly through?: OpenThrough | undefined
}

/** Starts this node's end of the network. @throws WeftError E_PORT_TAKEN, E_LISTEN_FAILED */
export async function createTransport(options: TransportOptions): Promise<Transport> {
  const { networkId, key, clock, logger, access, lookup, through, noise = false } = options
  const scope = options.scope.child('transport')
  try {
    const members = new MemberGossip(access, clock)
    const gate = new InboundGate(clock)
    const relays = new RelayClient(gate)
    const relayGate = new RelayGate(access, clock)
    const observations = new Observations()
    const punch = options.punch === true && through === undefined ? new PunchPort(systemRandom) : undefined
    const doors = { gate, relays, gater: relayGate.gater, observations, ...(punch === undefined ? {} : { punch }) }
    const host = await startHost(options, members, doors)
    if (host.services.relay !== undefined) relayGate.follow(host, host.services.relay.reservations)
    scope.defer('host', () => host.stop())
    const limiter = new CallLimiter(clock, access)
    new StrangerPlaces({ host, networkId, access, clock, lastCall: (id) => limiter.lastCall(id) })
    scope.defer('member gossip', members.follow(host))
    const dialer = new Dialer({
      host,
      self: key.id,
      networkId,
      lookup,
      ...(through === undefined ? {} : { dialMs: THROUGH_DIAL_MS }),
      clock,
      closing: scope.signal,
    })
    const rpc = new RpcService({
      self: key.id,
      clock,
      logger,
      dispatcher: new RpcDispatcher(access, limiter),
      openControl: async (to, signal) => new Libp2pByteStream(await dialer.openStream(to, 'rpc', signal), to),
      closing: scope.signal,
    })
    scope.defer('control streams', () => rpc.close())
    retireRelayed(host, rpc, clock)
    callBack(host, lookup, scope.signal)
    const transport = new NodeTransport({
      self: key.id,
      networkId,
      host,
      dialer,
      relays,
      observations,
      punch,
      rpc,
      pubsub: new GossipPubSub({ gossip: host.services.pubsub, networkId, access, logger }),
      clock,
      logger,
      scope,
      probe: (address, target, signal) =>
        createProbe({ networkId, address, target, lookup, through, noise, clock, logger, scope, signal }),
    })
    await transport.start()
    return transport
  } catch (error) {
    await scope.close()
    throw error
  }
}

interface Services extends ServiceMap {
  readonly pubsub: GossipSub
  readonly relay: CircuitRelayService | undefined
  readonly puncher: unknown
}

async function startHost(
  options: TransportOptions,
  members: MemberGossip,
  doors: Pick<HostOptions, 'gate' | 'relays' | 'gater' | 'punch'> & { readonly observations: Observations },
): Promise<Host & Libp2p<Services>> {
  const { listen, key, announce = [], noise = false, relay = false, clock, through } = options
  try {
    return await createHost<Services>(
      { privateKey: toPrivateKey(key), listen, announce, noise, clock, through, ...doors },
      {
        pubsub: members.service(pubsubOptions(options.networkId)),
        relay: relay ? relayServer() : () => undefined,
        puncher: doors.punch === undefined ? () => undefined : holePuncher({ observations: doors.observations, clock }),
      },
    )
  } catch (error) {
    const taken = messageOf(error).includes('EADDRINUSE')
    const port = Number(/EADDRINUSE[^\n]*?:(\d+)\b/.exec(messageOf(error))?.[1])
    const those = listen.filter((each) => each.port === port)
    const where = (those.length === 0 ? listen : those).map((each) => `${each.host}:${each.port}`).join(', ')
    throw new WeftError({
      code: taken ? 'E_PORT_TAKEN' : 'E_LISTEN_FAILED',
      cause: taken
        ? `Another program listens on ${where} already.`
        : `This node cannot listen on ${where}: ${messageOf(error)}.`,
      fix: 'Stop the other program, or choose another port with --public-port.',
      details: { listen: where, ...(those.length === 1 ? { port } : {}) },
      origin: error,
    })
  }
}
