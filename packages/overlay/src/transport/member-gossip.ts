import { type GossipSub, type GossipSubComponents, type GossipsubOpts, gossipsub } from '@libp2p/gossipsub'
import type { Connection, PeerId, Stream, StreamHandler, Topology } from '@libp2p/interface'
import type { Clock } from '@weft/core'
import type { Host } from './host.ts'
import { GOSSIP_RATE } from './limits.ts'
import { didOfPeer } from './peer-id.ts'
import { RateLimiter } from './rate-limiter.ts'
import type { AccessPolicy } from './transport.ts'

type Registrar = GossipSubComponents['registrar']

/**
 * Gossip among members only. gossipsub takes whoever connects as a peer: a stranger would be sent every message, and
 * each of its own would cost a signature check. So it is shown members only: of its topology callbacks those of
 * strangers are withheld, and a stranger's stream is reset. Both follow the map: who enters it is introduced, who left
 * it is taken out.
 */
export class MemberGossip {
  readonly #access: AccessPolicy
  readonly #rate: RateLimiter
  readonly #topologies = new Map<string, Topology>()
  readonly #streams = new Map<string, Set<Stream>>()

  constructor(access: AccessPolicy, clock: Clock) {
    this.#access = access
    this.#rate = new RateLimiter(clock, () => GOSSIP_RATE)
  }

  /** gossipsub as a service of a host, behind this gate. */
  service(options: Partial<GossipsubOpts>): (components: GossipSubComponents) => GossipSub {
    return ({ privateKey, peerId, peerStore, registrar, connectionManager, logger }) =>
      gossipsub(options)({
        privateKey,
        peerId,
        peerStore,
        registrar: this.#guard(registrar),
        connectionManager,
        logger,
      })
  }

  /** Introduces and takes out whom a change of membership concerns, until the returned function is called. */
  follow(host: Pick<Host, 'getConnections'>): () => void {
    const unsubscribe = this.#access.onChange?.(() => {
      // Also those that are known already, which changes nothing: a stream that was refused while the other side's map
      // was behind ours is opened anew.
      for (const connection of host.getConnections()) {
        const { remotePeer, limits } = connection
        // Topics do not go over relays.
        if (limits !== undefined) continue
        if (this.#isMember(remotePeer)) this.#introduce(remotePeer, connection)
        else this.#takeOut(remotePeer)
      }
    })
    return () => unsubscribe?.()
  }

  #guard(registrar: Registrar): Registrar {
    const handle: Registrar['handle'] = (protocol, handler, options) =>
      registrar.handle(protocol, (stream, connection) => this.#serve(handler, stream, connection), options)
    const register: Registrar['register'] = async (protocol, topology, options) => {
      const onConnect: Topology['onConnect'] = (peer, connection) => {
        if (this.#isMember(peer)) return topology.onConnect?.(peer, withLiveStreams(connection))
      }
      const id = await registrar.register(protocol, { ...topology, onConnect }, options)
      this.#topologies.set(id, topology)
      return id
    }
    return Object.create(registrar, { handle: { value: handle }, register: { value: register } }) as Registrar
  }

  #serve(handler: StreamHandler, stream: Stream, connection: Connection): void | Promise<void> {
    const { remotePeer } = connection
    if (!this.#isMember(remotePeer)) {
      stream.abort(new Error('topics are for members'))
      return
    }
    const peer = remotePeer.toString()
    const streams = this.#streams.get(peer) ?? new Set()
    this.#streams.set(peer, streams.add(stream))
    stream.addEventListener('close', () => {
      streams.delete(stream)
      if (streams.size === 0) this.#streams.delete(peer)
    })
    const result = handler(stream, withLiveStreams(connection))
    this.#meter(stream, peer)
    return result
  }

  #introduce(peer: PeerId, connection: Connection): void {
    // One topology per version of the protocol, all with the same callbacks: one of them is enough.
    const [topology] = this.#topologies.values()
    void topology?.onConnect?.(peer, withLiveStreams(connection))
  }

  #takeOut(peer: PeerId): void {
    const [topology] = this.#topologies.values()
    void topology?.onDisconnect?.(peer)
    // gossipsub ends its own half only; what the other side goes on sending would still be read.
    for (const stream of this.#streams.get(peer.toString()) ?? []) stream.abort(new Error('topics are for members'))
  }

  #isMember(peer: PeerId): boolean {
    return this.#access.allows(didOfPeer(peer), 'member')
  }

  /** Resets a stream on which more arrives than a member has reason to send. Called when its reader listens already. */
  #meter(stream: Stream, peer: string): void {
    stream.addEventListener('message', ({ data }) => {
      if (!this.#rate.take(peer, data.byteLength)) stream.abort(new Error('too many bytes on topics'))
    })
  }
}

/**
 * A connection on which a stream fails to open when the other side reset it at once. gossipsub begins to watch a stream
 * after it was opened, and would keep such a one for good and never open another.
 */
function withLiveStreams(connection: Connection): Connection {
  const newStream: Connection['newStream'] = async (protocols, options) => {
    const stream = await connection.newStream(protocols, options)
    if (stream.status !== 'open') throw new Error('the other side refused the stream')
    return stream
  }
  return Object.create(connection, { newStream: { value: newStream } }) as Connection
}
