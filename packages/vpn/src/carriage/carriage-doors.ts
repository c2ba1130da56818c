import { type Clock, isLoopback } from '@weft/core'
import { limitNetwork, limitPrefix } from '@weft/onion'
import {
  CONNECTION_RATE,
  MAX_CONNECTIONS,
  NETWORK_CONNECTIONS,
  NETWORK_RATE,
  PENDING_CONNECTIONS,
  PREFIX_CONNECTIONS,
  PREFIX_RATE,
} from './carriage-limits.ts'

/** A connection that has just come. */
export interface Caller {
  destroy(): unknown
}

/**
 * Who may come in by TCP: so many connections in all, of an address (an IPv6 /64), of its network (an IPv4 /24, an IPv6 /48), of all these in
 * a second, and without a preface yet. Of those the oldest gives way, so that silent ones do not keep others out.
 */
export class CarriageDoors {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** Connections that are open, of each prefix and of each network. */
  readonly #held = new Map<string, number>()
  /** The same of those let in within the second at hand, also when they have left: so of at most CONNECTION_RATE callers. */
  readonly #came = new Map<string, number>()
  readonly #pending = new Set<Caller>()
  #second = 0
  #cameInAll = 0
  #open = 0

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** Takes a place; the returned function gives it back, once. Undefined when there is none. */
  enter(caller: Caller, address: string): (() => void) | undefined {
    if (this.#open >= MAX_CONNECTIONS) return undefined
    const prefix = limitPrefix(address)
    const network = limitNetwork(prefix)
    // Nodes and clients of a devnet share it.
    if (!isLoopback(address) && !this.#mayEnter(prefix, network)) return undefined
    add(this.#held, prefix, 1)
    add(this.#held, network, 1)
    this.#open++
    this.#pending.add(caller)
    const [oldest] = this.#pending
    if (oldest !== undefined && this.#pending.size > PENDING_CONNECTIONS) {
      this.#pending.delete(oldest)
      oldest.destroy()
    }
    return () => {
      this.#pending.delete(caller)
      this.#open--
      add(this.#held, prefix, -1)
      add(this.#held, network, -1)
    }
  }

  /** It showed that it knows the link key. */
  passed(caller: Caller): void {
    this.#pending.delete(caller)
  }

  #mayEnter(prefix: string, network: string): boolean {
    const second = Math.floor(this.#clock.monotonic() / 1_000)
    if (this.#second !== second) {
      this.#second = second
      this.#cameInAll = 0
      this.#came.clear()
    }
    if (count(this.#held, prefix) >= PREFIX_CONNECTIONS || count(this.#held, network) >= NETWORK_CONNECTIONS)
      return false
    if (count(this.#came, prefix) >= PREFIX_RATE || count(this.#came, network) >= NETWORK_RATE) return false
    if (this.#cameInAll >= CONNECTION_RATE) return false
    // Only who is let in counts, so that callers who are refused take nothing from others, and no memory.
    add(this.#came, prefix, 1)
    add(this.#came, network, 1)
    this.#cameInAll++
    return true
  }
}

function count(counts: ReadonlyMap<string, number>, key: string): number {
  return counts.get(key) ?? 0
}

function add(counts: Map<string, number>, key: string, more: number): void {
  const sum = count(counts, key) + more
  if (sum === 0) counts.delete(key)
  else counts.set(key, sum)
}
