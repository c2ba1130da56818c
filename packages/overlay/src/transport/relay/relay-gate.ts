import { RELAY_V2_HOP_CODEC, RELAY_V2_STOP_CODEC, type RelayReservation } from '@libp2p/circuit-relay-v2'
import type { Connection, ConnectionGater, PeerId } from '@libp2p/interface'
import type { Clock } from '@weft/core'
import type { Host } from '../host.ts'
import { didOfPeer } from '../peer-id.ts'
import type { AccessPolicy } from '../transport.ts'
import { RelayRules, type RelaysConnection } from './relay-rules.ts'

/** Who has a reservation here. */
export interface Reservations extends Iterable<[PeerId, Pick<RelayReservation, 'addr'>]> {
  get(peer: PeerId): RelayReservation | undefined
  delete(peer: PeerId): void
}

/**
 * The rules of a relay as libp2p asks for them. A place goes with the connection that it was asked for on: one that is
 * held for nobody would keep others out.
 */
export class RelayGate {
  readonly #rules: RelayRules
  #host: Pick<Host, 'getConnections'> | undefined
  #reservations: Reservations | undefined

  constructor(access: AccessPolicy, clock: Clock) {
    this.#rules = new RelayRules(access, clock)
  }

  /** What libp2p asks of its gater. */
  readonly gater: ConnectionGater = {
    denyInboundRelayReservation: (source) => {
      const places = [...(this.#reservations ?? [])].map(([peer, { addr }]) => ({
        id: didOfPeer(peer),
        address: addr.toString(),
      }))
      return !this.#rules.mayReserve(didOfPeer(source), this.#connections(), places)
    },
    denyOutboundRelayedConnection: (source, target) =>
      !this.#rules.mayConnect(didOfPeer(source), didOfPeer(target), this.#connections()),
  }

  /** Looks at this host and its reservations from now on. */
  follow(host: Pick<Host, 'getConnections' | 'addEventListener'>, reservations: Reservations): void {
    this.#host = host
    this.#reservations = reservations
    host.addEventListener('peer:disconnect', ({ detail: peer }) => {
      reservations.get(peer)?.signal.clear()
      reservations.delete(peer)
    })
  }

  #connections(): readonly RelaysConnection[] {
    return (this.#host?.getConnections() ?? []).map((connection) => ({
      id: didOfPeer(connection.remotePeer),
      address: connection.remoteAddr.toString(),
      relayed: connection.limits !== undefined,
      carried: {
        asCaller: count(connection, RELAY_V2_HOP_CODEC),
        asTarget: count(connection, RELAY_V2_STOP_CODEC),
      },
    }))
  }
}

function count({ streams }: Connection, protocol: string): number {
  return streams.filter((stream) => stream.protocol === protocol).length
}
