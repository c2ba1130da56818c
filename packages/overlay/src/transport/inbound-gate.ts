import { isLoopback } from '@weft/core'
import type { MultiaddrConnection, Upgrader } from '@libp2p/interface'
import type { Clock } from '@weft/core'
import { addressGroup } from '../network/address-group.ts'
import {
  ADDRESS_CONNECTION_RATE,
  MAX_CONNECTIONS_PER_ADDRESS,
  MAX_PENDING_CONNECTIONS,
  MAX_PENDING_PER_ADDRESS,
} from './limits.ts'
import { RateLimiter } from './rate-limiter.ts'

/** What one address holds: connections that are open, and those of them that are not secured yet. */
interface Held {
  open: number
  pending: number
}

/** A connection that has just come: a raw one of libp2p, or a socket on which HTTP is still spoken. */
export interface Guest {
  readonly remoteAddr: { toString(): string }
  addEventListener(name: 'close', listener: () => void): void
  abort(error: Error): void
}

/**
 * The door in front of libp2p, where a caller is an address and nothing else yet. An address (an IPv6 /64) has few
 * places for connections that are not secured, so that silent sockets of one do not keep the others out. When all
 * places are taken, by many addresses, the one that has waited longest gives way: an honest handshake is done long
 * before. Loopback is bounded by all places together only, because the nodes of a devnet share it.
 */
export class InboundGate {
  readonly #rate: RateLimiter
  readonly #held = new Map<string, Held>()
  /** Not secured yet, in the order in which they came. */
  readonly #pending = new Map<Guest, Held>()

  constructor(clock: Clock) {
    this.#rate = new RateLimiter(clock, () => ADDRESS_CONNECTION_RATE)
  }

  /** libp2p's upgrader with this door before it. */
  guard(upgrader: Upgrader): Upgrader {
    const upgradeInbound = async (connection: MultiaddrConnection, options: never): Promise<void> => {
      const leave = this.enter(connection)
      try {
        await upgrader.upgradeInbound(connection, options)
      } finally {
        leave()
      }
    }
    return Object.create(upgrader, { upgradeInbound: { value: upgradeInbound } }) as Upgrader
  }

  /**
   * Takes a place for a connection that has just come; the returned function gives it back once the connection is
   * secured or over. Throws when there is none: libp2p then closes it, and shows the reason to nobody.
   */
  enter(connection: Guest): () => void {
    const group = addressGroup(connection.remoteAddr.toString())
    const held = this.#held.get(group) ?? { open: 0, pending: 0 }
    if (!isLoopback(group)) this.#refuse(group, held)
    this.#held.set(group, held)
    held.open++
    connection.addEventListener('close', () => {
      // Who goes before it is secured, or never asked for that, leaves nothing behind.
      this.#leave(connection)
      held.open--
      if (held.open === 0) this.#held.delete(group)
    })
    held.pending++
    this.#pending.set(connection, held)
    this.#makeRoom()
    return () => this.#leave(connection)
  }

  #refuse(group: string, { open, pending }: Held): void {
    if (open >= MAX_CONNECTIONS_PER_ADDRESS) throw new Error('too many connections from this address are open')
    if (pending >= MAX_PENDING_PER_ADDRESS) throw new Error('too many connections from this address are not secured')
    if (!this.#rate.take(group, 1)) throw new Error('too many connections came from this address')
  }

  #makeRoom(): void {
    if (this.#pending.size <= MAX_PENDING_CONNECTIONS) return
    const [oldest] = this.#pending.keys()
    if (oldest === undefined) return
    this.#leave(oldest)
    oldest.abort(new Error('securing the connection took too long while others waited'))
  }

  #leave(connection: Guest): void {
    const held = this.#pending.get(connection)
    if (held !== undefined) held.pending--
    this.#pending.delete(connection)
  }
}
