import { RELAY_V2_HOP_CODEC, RELAY_V2_STOP_CODEC, type RelayReservation } from '@libp2p/circuit-relay-v2'
import type { Connection, ConnectionGater, PeerId } from '@libp2p/interface'
import { type Clock, isLoopback } from '@weft/core'
import { addressGroup } from '../../network/address-group.ts'
import type { Host } from '../host.ts'
import {
  MAX_RELAYED,
  MAX_RELAYED_PER_ADDRESS,
  MAX_RELAYED_PER_CALLER,
  MAX_RELAYED_PER_TARGET,
  MAX_RESERVATIONS_PER_ADDRESS,
  MAX_STRANGER_RESERVATIONS,
  RELAY_CONNECT_RATE,
} from '../limits.ts'
import { didOfPeer } from '../peer-id.ts'
import { RateLimiter } from '../rate-limiter.ts'
import type { AccessPolicy } from '../transport.ts'

/** Who has a reservation here. */
export interface Reservations extends Iterable<[PeerId, Pick<RelayReservation, 'addr'>]> {
  get(peer: PeerId): RelayReservation | undefined
  delete(peer: PeerId): void
}

/**
 * Who may have a place at this relay, and how many connections it carries. Identities cost nothing, so strangers, whom a
 * node that wants to become a member is one of, have a part of the places, few of one address (an IPv6 /64); members
 * count by themselves. A place goes with the connection that it was asked for on: one that is held for nobody would keep
 * others out. Loopback, where a devnet is, has no share.
 */
export class RelayGate {
  readonly #access: AccessPolicy
  readonly #rate: RateLimiter
  #host: Pick<Host, 'getConnections'> | undefined
  #reservations: Reservations | undefined

  constructor(access: AccessPolicy, clock: Clock) {
    this.#access = access
    this.#rate = new RateLimiter(clock, () => RELAY_CONNECT_RATE)
  }

  /** What libp2p asks of its gater. */
  readonly gater: ConnectionGater = {
    denyInboundRelayReservation: (source) => !this.#mayReserve(source),
    denyOutboundRelayedConnection: (source, target) => !this.#mayConnect(source, target),
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

  #mayReserve(source: PeerId): boolean {
    const group = this.#groupOf(source)
    if (group === undefined) return false
    if (!this.#isStranger(source)) return true
    const others = [...(this.#reservations ?? [])].filter(([peer]) => !peer.equals(source) && this.#isStranger(peer))
    if (others.length >= MAX_STRANGER_RESERVATIONS) return false
    const neighbours = others.filter(([, { addr }]) => addressGroup(addr.toString()) === group)
    return isLoopback(group) || neighbours.length < MAX_RESERVATIONS_PER_ADDRESS
  }

  #mayConnect(source: PeerId, target: PeerId): boolean {
    const group = this.#groupOf(source)
    if (group === undefined || !this.#rate.take(group, 1)) return false
    const carried = this.#connections().map((connection) => ({
      connection,
      count: count(connection, RELAY_V2_HOP_CODEC),
    }))
    // The one that is asked for stands among them already.
    const sum = (of: (connection: Connection) => boolean): number =>
      carried.reduce((total, each) => total + (of(each.connection) ? each.count : 0), 0)
    if (sum(() => true) > MAX_RELAYED) return false
    if (sum(({ remotePeer }) => remotePeer.equals(source)) > MAX_RELAYED_PER_CALLER) return false
    const fromGroup = sum((each) => this.#isStranger(each.remotePeer) && groupOf(each) === group)
    if (!isLoopback(group) && this.#isStranger(source) && fromGroup > MAX_RELAYED_PER_ADDRESS) return false
    const toTarget = this.#connections()
      .filter(({ remotePeer }) => remotePeer.equals(target))
      .reduce((total, connection) => total + count(connection, RELAY_V2_STOP_CODEC), 0)
    return toTarget < MAX_RELAYED_PER_TARGET
  }

  #connections(): readonly Connection[] {
    return this.#host?.getConnections() ?? []
  }

  /** Of a direct connection to it; undefined where there is none. */
  #groupOf(peer: PeerId): string | undefined {
    const direct = this.#connections().find(({ remotePeer, limits }) => limits === undefined && remotePeer.equals(peer))
    return direct === undefined ? undefined : groupOf(direct)
  }

  #isStranger(peer: PeerId): boolean {
    return !this.#access.allows(didOfPeer(peer), 'member')
  }
}

function groupOf({ remoteAddr }: Connection): string {
  return addressGroup(remoteAddr.toString())
}

function count({ streams }: Connection, protocol: string): number {
  return streams.filter((stream) => stream.protocol === protocol).length
}
