import { type Clock, type Logger, type Scope, WeftError, messageOf } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import { CallLimiter } from './call-limiter.ts'
import { Dialer } from './dialer.ts'
import { GossipPubSub, pubsubOptions } from './gossip-pub-sub.ts'
import { createHost } from './host.ts'
import { Libp2pByteStream } from './libp2p-byte-stream.ts'
import { MemberGossip } from './member-gossip.ts'
import { NodeTransport } from './node-transport.ts'
import { toPrivateKey } from './peer-id.ts'
import { createProbe } from './probe.ts'
import { RpcDispatcher } from './rpc-dispatcher.ts'
import { RpcService } from './rpc-service.ts'
import { StrangerPlaces } from './stranger-places.ts'
import type { AccessPolicy, Transport } from './transport.ts'

export interface TransportOptions {
  readonly networkId: string
  readonly key: SigningKey
  /** TCP; port 0 takes a free one. Empty for a pure client. */
  readonly listen: readonly { readonly host: string; readonly port: number }[]
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
  /** Multiaddrs of a node, from the signed map or the network file. */
  readonly lookup: (id: DidKey) => readonly string[]
}

/** Starts this node's end of the network. @throws WeftError E_PORT_TAKEN, E_LISTEN_FAILED */
export async function createTransport(options: TransportOptions): Promise<Transport> {
  const { networkId, key, clock, logger, access, lookup, noise = false } = options
  const scope = options.scope.child('transport')
  try {
    const members = new MemberGossip(access, clock)
    const host = await startHost(options, members)
    scope.defer('host', () => host.stop())
    const limiter = new CallLimiter(clock, access)
    new StrangerPlaces({ host, networkId, access, clock, lastCall: (id) => limiter.lastCall(id) })
    scope.defer('member gossip', members.follow(host))
    const dialer = new Dialer({ host, self: key.id, networkId, lookup, closing: scope.signal })
    const rpc = new RpcService({
      self: key.id,
      clock,
      logger,
      dispatcher: new RpcDispatcher(access, limiter),
      openControl: async (to, signal) => new Libp2pByteStream(await dialer.openStream(to, 'rpc', signal), to),
      closing: scope.signal,
    })
    scope.defer('control streams', () => rpc.close())
    const transport = new NodeTransport({
      self: key.id,
      networkId,
      host,
      dialer,
      rpc,
      pubsub: new GossipPubSub({ gossip: host.services.pubsub, networkId, access, logger }),
      clock,
      logger,
      scope,
      probe: (address, target, signal) =>
        createProbe({ networkId, address, target, noise, clock, logger, scope, signal }),
    })
    await transport.start()
    return transport
  } catch (error) {
    await scope.close()
    throw error
  }
}

async function startHost(options: TransportOptions, members: MemberGossip) {
  const { listen, key, announce = [], noise = false, clock } = options
  try {
    return await createHost(
      { privateKey: await toPrivateKey(key), listen, announce, noise, clock },
      { pubsub: members.service(pubsubOptions(options.networkId)) },
    )
  } catch (error) {
    const where = listen.map(({ host, port }) => `${host}:${port}`).join(', ')
    const taken = messageOf(error).includes('EADDRINUSE')
    throw new WeftError({
      code: taken ? 'E_PORT_TAKEN' : 'E_LISTEN_FAILED',
      cause: taken
        ? `Another program listens on ${where} already.`
        : `This node cannot listen on ${where}: ${messageOf(error)}.`,
      fix: 'Stop the other program, or choose another port with --public-port.',
      details: { listen: where },
      origin: error,
    })
  }
}
