import { type Clock, WeftError, isLoopback } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { addressGroup } from '../network/address-group.ts'
import { networkPrefix } from '../network/network-prefix.ts'

/** Leases in force that one validator votes for, in all. */
const MAX_LEASES = 1_000
/** Of one IPv4 address or IPv6 /64: the devices of a household. */
const PER_ADDRESS = 4
/** Of one /24 or /48. */
const PER_PREFIX = 16

interface Granted {
  readonly address: string
  readonly prefix: string
  readonly expiresAt: number
}

/** What a validator voted for and has not ended: by this it keeps leases few, in all and of one place. */
export class GrantedLeases {
  readonly #clock: Clock
  readonly #byId = new Map<DidKey, Granted>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Notes a vote for a node at this IP address; one that it has in force gives its place to the new one.
   * @param expiresAt ms since the Unix epoch
   * @throws WeftError E_LEASE_LIMIT
   */
  add(id: DidKey, host: string, expiresAt: number): void {
    this.#prune()
    const lease: Granted = { address: addressGroup(host), prefix: networkPrefix(host), expiresAt }
    const others = [...this.#byId].flatMap(([other, granted]) => (other === id ? [] : [granted]))
    if (others.length >= MAX_LEASES) throw tooMany(`there are ${MAX_LEASES} leases in all`)
    // The nodes of a devnet share one address.
    if (!isLoopback(host)) {
      if (others.filter(({ address }) => address === lease.address).length >= PER_ADDRESS)
        throw tooMany(`${PER_ADDRESS} leases are of the address of this node`)
      if (others.filter(({ prefix }) => prefix === lease.prefix).length >= PER_PREFIX)
        throw tooMany(
          `${PER_PREFIX} leases are of the network around the address of this node (a /24, or /48 for IPv6)`,
        )
    }
    this.#byId.set(id, lease)
  }

  #prune(): void {
    const now = this.#clock.now()
    for (const [id, { expiresAt }] of this.#byId) if (expiresAt <= now) this.#byId.delete(id)
  }
}

function tooMany(why: string): WeftError {
  return new WeftError({
    code: 'E_LEASE_LIMIT',
    cause: `The validator gives no further lease: ${why}.`,
    fix: 'Nothing to do: the node asks again by itself, and gets one when another has ended, in an hour at most.',
    retryable: true,
  })
}
