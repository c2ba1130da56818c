import { type Clock, canonicalHost, ipv6Groups, mappedIPv4 } from '@weft/core'
import { CONNECTION_RATE, MAX_CONNECTIONS, PREFIX_CONNECTIONS } from './limits.ts'

/** Who may come in: so many connections in all, of one address (an IPv6 /64), and new ones in a second. Addresses are kept while their connections last. */
export class BridgeDoors {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #held = new Map<string, number>()
  #open = 0
  #second = 0
  #came = 0

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** Takes a place; the returned function gives it back. Undefined when there is none. @param address of the caller, as its socket has it */
  enter(address: string | undefined): (() => void) | undefined {
    const prefix = prefixOf(address ?? '')
    if (prefix === undefined || this.#open >= MAX_CONNECTIONS) return undefined
    const held = this.#held.get(prefix) ?? 0
    if (held >= PREFIX_CONNECTIONS || !this.#mayComeNow()) return undefined
    this.#held.set(prefix, held + 1)
    this.#open++
    return () => {
      this.#open--
      const left = (this.#held.get(prefix) ?? 1) - 1
      if (left === 0) this.#held.delete(prefix)
      else this.#held.set(prefix, left)
    }
  }

  #mayComeNow(): boolean {
    const second = Math.floor(this.#clock.monotonic() / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#came = 0
    }
    return this.#came++ < CONNECTION_RATE
  }
}

/** An IPv4 address, or the /64 of one of IPv6, which is what one customer has. */
function prefixOf(address: string): string | undefined {
  const canonical = canonicalHost(address.split('%', 1)[0] ?? '')
  if (canonical === undefined) return undefined
  const host = mappedIPv4(canonical) ?? canonical
  return host.includes(':') ? ipv6Groups(host).slice(0, 4).join(':') : host
}
