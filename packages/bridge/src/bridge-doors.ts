import { type Clock, canonicalHost, ipv6Groups, mappedIPv4 } from '@weft/core'
import {
  CONNECTION_RATE,
  MAX_CONNECTIONS,
  MAX_STRANGERS,
  PREFIX_CONNECTIONS,
  PREFIX_RATE,
  PREFIX_SCARCE_RATE,
} from './limits.ts'

/** A connection, by where it comes from; the TLS on it has the same. */
export interface Caller {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  destroy(): unknown
}

interface Stranger {
  readonly caller: Caller
  readonly prefix: string
}

/**
 * Who may come in: so many connections in all, of one address (an IPv6 /64), new ones in a second in all and of one, and strangers, who
 * have shown no pass yet. Of those the oldest of the address that has most gives way, so that who only comes and stays keeps no client out;
 * and of the second half of a second's new ones each address has a few, so that two that come as fast as they may do not either. Addresses
 * are kept while their connections last, and for a second.
 */
export class BridgeDoors {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #held = new Map<string, number>()
  /** Those let in within the second at hand: of at most CONNECTION_RATE prefixes. */
  readonly #came = new Map<string, number>()
  /** By address and port. */
  readonly #strangers = new Map<string, Stranger>()
  #open = 0
  #second = 0
  #cameInAll = 0

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** Takes a place; the returned function gives it back, once. Undefined when there is none. */
  enter(caller: Caller): (() => void) | undefined {
    const prefix = prefixOf(caller.remoteAddress ?? '')
    if (prefix === undefined || this.#open >= MAX_CONNECTIONS || !this.#mayEnter(prefix)) return undefined
    add(this.#held, prefix, 1)
    this.#open++
    const name = nameOf(caller)
    this.#strangers.set(name, { caller, prefix })
    if (this.#strangers.size > MAX_STRANGERS) this.#closeOne()
    return () => {
      this.#strangers.delete(name)
      this.#open--
      add(this.#held, prefix, -1)
    }
  }

  /** It showed a pass. */
  passed(caller: Caller): void {
    this.#strangers.delete(nameOf(caller))
  }

  #closeOne(): void {
    const counts = new Map<string, number>()
    for (const { prefix } of this.#strangers.values()) add(counts, prefix, 1)
    const most = Math.max(...counts.values())
    for (const [name, { caller, prefix }] of this.#strangers) {
      if (counts.get(prefix) !== most) continue
      this.#strangers.delete(name)
      caller.destroy()
      return
    }
  }

  #mayEnter(prefix: string): boolean {
    const second = Math.floor(this.#clock.monotonic() / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#cameInAll = 0
      this.#came.clear()
    }
    const rate = this.#cameInAll < CONNECTION_RATE / 2 ? PREFIX_RATE : PREFIX_SCARCE_RATE
    if ((this.#held.get(prefix) ?? 0) >= PREFIX_CONNECTIONS || (this.#came.get(prefix) ?? 0) >= rate) return false
    if (this.#cameInAll >= CONNECTION_RATE) return false
    // Only who is let in counts, so that callers who are refused take nothing from others, and no memory.
    add(this.#came, prefix, 1)
    this.#cameInAll++
    return true
  }
}

function nameOf({ remoteAddress = '', remotePort = 0 }: Caller): string {
  return `${remoteAddress}|${remotePort}`
}

/** An IPv4 address, or the /64 of one of IPv6, which is what one customer has. */
function prefixOf(address: string): string | undefined {
  const canonical = canonicalHost(address.split('%', 1)[0] ?? '')
  if (canonical === undefined) return undefined
  const host = mappedIPv4(canonical) ?? canonical
  return host.includes(':') ? ipv6Groups(host).slice(0, 4).join(':') : host
}

function add(counts: Map<string, number>, key: string, more: number): void {
  const sum = (counts.get(key) ?? 0) + more
  if (sum === 0) counts.delete(key)
  else counts.set(key, sum)
}
