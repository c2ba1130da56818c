import { WeftError, throwIfAborted } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import { parseRelayedAddress } from '@weft/overlay'
import type { Connection } from './connection.ts'
import type { SimulatedEndpoint } from './simulated-endpoint.ts'
import type { SimulatedInternet } from './simulated-internet.ts'
import { SimulatedRelay } from './simulated-relay.ts'

export interface SimulatedDialerOptions {
  readonly endpoint: SimulatedEndpoint
  readonly internet: SimulatedInternet
  /** Multiaddrs of a node. */
  readonly lookup: (id: DidKey) => readonly string[]
}

/** Gets connections to nodes, directly or over relays, as the real dialer does. */
export class SimulatedDialer {
  readonly #options: SimulatedDialerOptions
  readonly #dialling = new Map<DidKey, Promise<Connection>>()

  constructor(options: SimulatedDialerOptions) {
    this.#options = options
  }

  /**
   * An open connection, or a new one; all who want the same node share one dial.
   * @param signal ends the dial, for all
   * @throws WeftError E_NODE_UNREACHABLE, E_RELAY_REFUSED, E_ABORTED
   */
  async connection(id: DidKey, addresses: readonly string[] | undefined, signal: AbortSignal): Promise<Connection> {
    const { endpoint, lookup } = this.#options
    const existing = endpoint.connection(id)
    if (existing !== undefined) return existing
    let dialling = this.#dialling.get(id)
    if (dialling === undefined) {
      dialling = this.#dial(id, addresses ?? lookup(id), signal).finally(() => this.#dialling.delete(id))
      this.#dialling.set(id, dialling)
    }
    return dialling
  }

  async #dial(id: DidKey, addresses: readonly string[], signal: AbortSignal): Promise<Connection> {
    const { endpoint, internet } = this.#options
    if (addresses.length === 0) throw unknownAddress(id)
    let last: unknown
    for (const address of addresses) {
      try {
        const relay = parseRelayedAddress(address)
        if (relay === undefined) return await internet.dial(endpoint, address, id, signal)
        return await this.#dialOver(relay, id, signal)
      } catch (error) {
        throwIfAborted(signal)
        last = error
      }
    }
    throw last
  }

  /** A relay is where it listens itself, and not behind another. */
  async #dialOver(relay: DidKey, id: DidKey, signal: AbortSignal): Promise<Connection> {
    const { endpoint, lookup } = this.#options
    if (relay === endpoint.id) throw unknownAddress(id)
    const direct = lookup(relay).filter((address) => parseRelayedAddress(address) === undefined)
    const connection = await this.connection(relay, direct, signal)
    return SimulatedRelay.connect(endpoint, connection, id)
  }
}

function unknownAddress(id: DidKey): WeftError {
  return new WeftError({
    code: 'E_NODE_UNREACHABLE',
    cause: `No address of ${shortId(id)} is known.`,
    fix: 'Wait for the signed map, or name its address.',
    retryable: true,
  })
}
