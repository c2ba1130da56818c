import { isLoopback } from '@weft/core'
import type { Connection } from '@libp2p/interface'
import type { Clock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { protocolId } from '@weft/wire'
import { addressGroup } from '../network/address-group.ts'
import type { Host } from './host.ts'
import { MAX_CONNECTIONS_PER_NODE, MAX_STRANGERS_PER_ADDRESS, MAX_STRANGER_CONNECTIONS } from './limits.ts'
import { didOfPeer } from './peer-id.ts'
import type { AccessPolicy } from './transport.ts'

export interface StrangerPlacesOptions {
  readonly host: Host
  readonly networkId: string
  readonly access: AccessPolicy
  readonly clock: Clock
  /** When this node last called, ms of the monotonic clock; undefined when it never did or that is forgotten. */
  readonly lastCall: (id: DidKey) => number | undefined
}

interface Guest {
  readonly connection: Connection
  readonly id: DidKey
  readonly group: string
  /** ms of the monotonic clock. */
  readonly since: number
}

/**
 * The places for inbound connections of nodes that are not certified. They cost nothing to have, so they are never
 * full for good: a newcomer takes the place of the stranger that has been idle longest among those of its address (an
 * IPv6 /64) when that has its share, else among those of the address that has most. Members count against nothing here
 * but a handful of connections each.
 */
export class StrangerPlaces {
  readonly #options: StrangerPlacesOptions
  /** In the order in which they came. */
  readonly #guests = new Map<Connection, Guest>()
  readonly #shard: string

  constructor(options: StrangerPlacesOptions) {
    this.#options = options
    this.#shard = protocolId(options.networkId, 'shard')
    const { host } = options
    host.addEventListener('connection:open', ({ detail }) => this.#onOpen(detail))
    host.addEventListener('connection:close', ({ detail }) => void this.#guests.delete(detail))
  }

  #onOpen(connection: Connection): void {
    if (connection.direction !== 'inbound') return
    const group = addressGroup(connection.remoteAddr.toString())
    const guest = { connection, id: didOfPeer(connection.remotePeer), group, since: this.#options.clock.monotonic() }
    this.#guests.set(connection, guest)
    const own = [...this.#guests.values()].filter(({ id }) => id === guest.id)
    if (own.length > MAX_CONNECTIONS_PER_NODE) this.#close(own[0])
    if (!this.#isStranger(guest)) return
    const strangers = [...this.#guests.values()].filter((each) => this.#isStranger(each))
    const neighbours = strangers.filter((each) => each.group === group)
    if (!isLoopback(group) && neighbours.length > MAX_STRANGERS_PER_ADDRESS) this.#close(this.#idlest(neighbours))
    else if (strangers.length > MAX_STRANGER_CONNECTIONS) this.#close(this.#idlest(mostCrowded(strangers)))
  }

  #isStranger({ id }: Guest): boolean {
    return !this.#options.access.allows(id, 'member')
  }

  #idlest(guests: readonly Guest[]): Guest | undefined {
    const now = this.#options.clock.monotonic()
    let idlest: Guest | undefined
    let earliest = Number.POSITIVE_INFINITY
    for (const guest of guests) {
      const transferring = guest.connection.streams.some(({ protocol }) => protocol === this.#shard)
      const used = transferring ? now : Math.max(guest.since, this.#options.lastCall(guest.id) ?? guest.since)
      if (used >= earliest) continue
      earliest = used
      idlest = guest
    }
    return idlest
  }

  #close(guest: Guest | undefined): void {
    if (guest === undefined) return
    this.#guests.delete(guest.connection)
    guest.connection.abort(new Error('another caller needs the place of this connection'))
  }
}

/** The guests of the address that has most; of all such, when several have as many. */
function mostCrowded(guests: readonly Guest[]): readonly Guest[] {
  const groups = [...Map.groupBy(guests, (guest) => guest.group).values()]
  const most = Math.max(...groups.map((group) => group.length))
  return groups.filter((group) => group.length === most).flat()
}
