import { networkInterfaces } from 'node:os'
import { type Clock, type PortRule, addressReach, canonicalHost, parsePortRule } from '@weft/core'

export interface ExitPolicyInit {
  readonly clock: Pick<Clock, 'monotonic'>
  /** What is dialled although it is not a public address: rules of `parsePortRule`. */
  readonly allow: readonly string[]
  /** What is never dialled, whatever else is said. */
  readonly deny: readonly string[]
  /** Addresses of this node that interfaces do not show: those it announces. */
  readonly own: readonly string[]
  /** Addresses of this machine; the system's interfaces by default. */
  readonly interfaces?: () => readonly string[]
}

/** Mail between servers: an open exit would be a relay for spam (RFC 5321). */
const REFUSED_PORTS = new Set([25])
/** ms for which this machine's addresses are kept: to read them takes system calls and a descriptor. */
const ADDRESSES_MS = 10_000

/**
 * What an exit dials: public addresses, on every port but 25. Private, special and this machine's own addresses only by
 * a rule. It is asked for the address itself, after names are resolved, and the dial goes to that address.
 */
export class ExitPolicy {
  readonly #allow: readonly PortRule[]
  readonly #deny: readonly PortRule[]
  readonly #own: ReadonlySet<string>
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #interfaces: () => readonly string[]
  /** As the system said last; undefined before it said anything. */
  #addresses: ReadonlySet<string> | undefined
  /** Monotonic ms: when it was asked last. */
  #askedAt = Number.NEGATIVE_INFINITY

  /** @throws WeftError E_EXIT_RULE */
  constructor(init: ExitPolicyInit) {
    this.#clock = init.clock
    this.#allow = init.allow.map(parsePortRule)
    this.#deny = init.deny.map(parsePortRule)
    this.#own = new Set(init.own.map((address) => canonicalHost(address) ?? address))
    this.#interfaces = init.interfaces ?? systemAddresses
  }

  /** Why this exit does not dial `address` (an IP literal); undefined when it does. */
  refusal(address: string, port: number): string | undefined {
    const canonical = canonicalHost(address)
    if (canonical === undefined) return 'not an address'
    if (port < 1 || port > 65_535) return 'no such port'
    if (this.#deny.some((rule) => rule.matches(canonical, port))) return 'denied by the operator'
    if (this.#allow.some((rule) => rule.matches(canonical, port))) return undefined
    if (REFUSED_PORTS.has(port)) return `port ${port} is not served`
    return this.#refusalOf(canonical)
  }

  /** The same for what has no port: a rule counts when it is about all of them. */
  refusalOfAddress(address: string): string | undefined {
    const canonical = canonicalHost(address)
    if (canonical === undefined) return 'not an address'
    const isOfAll = (rule: PortRule): boolean => rule.matches(canonical, 1) && rule.matches(canonical, 65_535)
    if (this.#deny.some(isOfAll)) return 'denied by the operator'
    return this.#allow.some(isOfAll) ? undefined : this.#refusalOf(canonical)
  }

  #refusalOf(canonical: string): string | undefined {
    if (addressReach(canonical) !== 'global') return 'not a public address'
    if (this.#own.has(canonical)) return "the exit's own address"
    const addresses = this.#machineAddresses()
    if (addresses === undefined) return "this machine's addresses cannot be read"
    return addresses.has(canonical) ? "the exit's own address" : undefined
  }

  /** Undefined when they never could be read: then nothing public is dialled. */
  #machineAddresses(): ReadonlySet<string> | undefined {
    const now = this.#clock.monotonic()
    if (now - this.#askedAt < ADDRESSES_MS && this.#addresses !== undefined) return this.#addresses
    this.#askedAt = now
    try {
      this.#addresses = new Set(this.#interfaces())
    } catch {
      // No descriptor is free: those that are known hardly changed meanwhile.
    }
    return this.#addresses
  }
}

function systemAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).map(({ address }) => canonicalHost(address) ?? address),
  )
}
