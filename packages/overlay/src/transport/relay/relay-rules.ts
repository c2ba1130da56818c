import { type Clock, isLoopback } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { addressGroup } from '../../network/address-group.ts'
import {
  MAX_RELAYED,
  MAX_RELAYED_PER_ADDRESS,
  MAX_RELAYED_PER_CALLER,
  MAX_RELAYED_PER_TARGET,
  MAX_RESERVATIONS,
  MAX_RESERVATIONS_PER_ADDRESS,
  MAX_STRANGER_RESERVATIONS,
  RELAY_CONNECT_RATE,
} from '../limits.ts'
import { RateLimiter } from '../rate-limiter.ts'
import type { AccessPolicy } from '../transport.ts'

/** A connection of a relay, as its rules look at it. */
export interface RelaysConnection {
  readonly id: DidKey
  /** The multiaddr that it comes from. */
  readonly address: string
  /** Whether it goes over a relay itself. */
  readonly relayed: boolean
  /** What the node there has this one carry to others, and what this one carries to it from others. */
  readonly carried: { readonly asCaller: number; readonly asTarget: number }
}

/** A place that somebody has at a relay. */
export interface RelayPlace {
  readonly id: DidKey
  /** The multiaddr that it was asked for from. */
  readonly address: string
}

/**
 * Who may have a place at this relay, and how many connections it carries (docs/specs/reach.md, Relays). Identities cost
 * nothing, so strangers, whom a node that wants to become a member is one of, have a part of the places, few of one
 * address (an IPv6 /64); members count by themselves. Loopback, where a devnet is, has no share.
 */
export class RelayRules {
  readonly #access: AccessPolicy
  readonly #rate: RateLimiter

  constructor(access: AccessPolicy, clock: Clock) {
    this.#access = access
    this.#rate = new RateLimiter(clock, () => RELAY_CONNECT_RATE)
  }

  /** @param places of all; a node that has one may ask again */
  mayReserve(source: DidKey, connections: readonly RelaysConnection[], places: readonly RelayPlace[]): boolean {
    const group = groupOf(source, connections)
    const others = places.filter(({ id }) => id !== source)
    if (group === undefined || others.length >= MAX_RESERVATIONS) return false
    if (!this.#isStranger(source)) return true
    const strangers = others.filter(({ id }) => this.#isStranger(id))
    if (strangers.length >= MAX_STRANGER_RESERVATIONS) return false
    const neighbours = strangers.filter(({ address }) => addressGroup(address) === group)
    return isLoopback(group) || neighbours.length < MAX_RESERVATIONS_PER_ADDRESS
  }

  /** @param connections in which what is asked for is counted with the caller already */
  mayConnect(source: DidKey, target: DidKey, connections: readonly RelaysConnection[]): boolean {
    const group = groupOf(source, connections)
    if (group === undefined || !this.#rate.take(group, 1)) return false
    const asked = (of: (connection: RelaysConnection) => boolean): number =>
      connections.reduce((total, each) => total + (of(each) ? each.carried.asCaller : 0), 0)
    if (asked(() => true) > MAX_RELAYED) return false
    if (asked(({ id }) => id === source) > MAX_RELAYED_PER_CALLER) return false
    const fromGroup = asked(({ id, address }) => this.#isStranger(id) && addressGroup(address) === group)
    if (!isLoopback(group) && this.#isStranger(source) && fromGroup > MAX_RELAYED_PER_ADDRESS) return false
    const toTarget = connections.reduce((total, { id, carried }) => total + (id === target ? carried.asTarget : 0), 0)
    return toTarget < MAX_RELAYED_PER_TARGET
  }

  #isStranger(id: DidKey): boolean {
    return !this.#access.allows(id, 'member')
  }
}

/** Of a direct connection to it; undefined where there is none. */
function groupOf(id: DidKey, connections: readonly RelaysConnection[]): string | undefined {
  const direct = connections.find((each) => !each.relayed && each.id === id)
  return direct === undefined ? undefined : addressGroup(direct.address)
}
