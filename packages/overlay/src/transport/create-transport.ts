import { gossipsub } from '@libp2p/gossipsub'
import { type Clock, type Logger, type Scope, WeftError, messageOf } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import { Dialer } from './dialer.ts'
import { GossipPubSub, pubsubOptions } from './gossip-pub-sub.ts'
import { createHost } from './host.ts'
import { Libp2pByteStream } from './libp2p-byte-stream.ts'
import { MAX_STRANGER_CONNECTIONS, MEMBER_CALL_RATE, STRANGER_CALL_RATE } from './limits.ts'
import { NodeTransport } from './node-transport.ts'
import { didOfPeer, toPrivateKey } from './peer-id.ts'
import { createProbe } from './probe.ts'
import { RateLimiter } from './rate-limiter.ts'
import { RpcDispatcher } from './rpc-dispatcher.ts'
import { RpcService } from './rpc-service.ts'
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
  /** Multiaddrs of a node, from the signed map or the network file. */
  readonly lookup: (id: DidKey) => readonly string[]
}

/** Starts this node's end of the network. @throws WeftError E_PORT_TAKEN, E_LISTEN_FAILED */
export async function createTransport(options: TransportOptions): Promise<Transport> {
  const { networkId, key, clock, logger, access, lookup } = options
  const scope = options.scope.child('transport')
  try {
    // Callers may arrive while the host still starts.
    let strangers = (): number => 0
    const host = await startHost(
      options,
      (caller) => access.allows(caller, 'member') || strangers() < MAX_STRANGER_CONNECTIONS,
    )
    scope.defer('host', () => host.stop())
    strangers = () =>
      host
        .getConnections()
        .filter(
          ({ direction, remotePeer }) => direction === 'inbound' && !access.allows(didOfPeer(remotePeer), 'member'),
        ).length
    const dialer = new Dialer({ host, self: key.id, networkId, lookup, closing: scope.signal })
    const limiter = new RateLimiter(clock, (caller) =>
      access.allows(caller, 'member') ? MEMBER_CALL_RATE : STRANGER_CALL_RATE,
    )
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
      probe: (address, target, signal) => createProbe({ networkId, address, target, clock, logger, scope, signal }),
    })
    await transport.start()
    return transport
  } catch (error) {
    await scope.close()
    throw error
  }
}

async function startHost(options: TransportOptions, admit: (caller: DidKey) => boolean) {
  const { listen, key, announce = [] } = options
  try {
    return await createHost(
      { privateKey: await toPrivateKey(key), listen, announce, admit, clock: options.clock },
      { pubsub: gossipsub(pubsubOptions()) },
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
