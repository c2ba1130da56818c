import { networkInterfaces } from 'node:os'
import type { Clock } from '@weft/core'
import type { Endpoint, LinkPaths } from '@weft/onion'
import type { CarriageStatus } from '../vpn.ts'

/** What a client's packets to its entry travel in: UDP, TLS over TCP, or whichever works, UDP first. */
export type CarriageSetting = 'auto' | 'udp' | 'tls'

export interface CarriageChoiceInit {
  readonly setting: CarriageSetting
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  /** The way to a node in TLS. */
  readonly inTls: (endpoint: Endpoint, linkKey: Uint8Array) => Endpoint
  /** Another text in another network. */
  readonly network?: () => string
  /** The answer of {@link CarriageChoice.status} is another one. */
  readonly onChange: () => void
}

/** ms between tries of UDP where it did not work: each costs one packet, beside what TLS carries. */
const TRY_UDP_MS = 30_000
/** Networks remembered as such where UDP does not work. */
const NETWORKS = 16

/**
 * Which way links to entries take. With `auto` UDP goes first; where a handshake was not answered within a second, another goes in TLS
 * beside the next, and the first answer counts. Where that came in TLS alone, later links of this network begin with TLS, and UDP is tried beside
 * it every half minute; one answer brings everything back to it.
 */
export class CarriageChoice {
  readonly #init: CarriageChoiceInit
  readonly #network: () => string
  /** Where UDP does not work: since when, ms since the Unix epoch. */
  readonly #blocked = new Map<string, number>()
  #triedUdpAt = -Infinity
  /** Monotonic ms. */
  #udpAnsweredAt = -Infinity

  constructor(init: CarriageChoiceInit) {
    this.#init = init
    this.#network = init.network ?? networkText
  }

  get status(): CarriageStatus {
    const { setting } = this.#init
    if (setting !== 'auto') return { over: setting, setting, reason: `vpn.carriage is ${setting}`, since: undefined }
    const since = this.#blocked.get(this.#network())
    if (since === undefined) return { over: 'udp', setting, reason: '', since: undefined }
    const reason = 'an entry answered in TLS over TCP, and not by UDP, which seems to be blocked in this network'
    return { over: 'tls', setting, reason, since }
  }

  /** The ways of one link to an entry. */
  pathsTo(udp: Endpoint, linkKey: Uint8Array): LinkPaths {
    const { setting, inTls, clock } = this.#init
    if (setting === 'udp') return { next: () => [udp] }
    const tls = inTls(udp, linkKey)
    if (setting === 'tls') return { next: () => [tls] }
    /** Of the handshake that runs: the first time that UDP was tried; monotonic ms. */
    let triedAt: number | undefined
    return {
      next: (tries) => {
        const ways = this.#ways(tries, udp, tls)
        if (tries === 0) triedAt = undefined
        if (ways.includes(udp)) triedAt ??= this.#triedUdpAt = clock.monotonic()
        return ways
      },
      answered: (by) => {
        if (by === udp) this.#onUdp()
        else if (triedAt !== undefined && triedAt < clock.monotonic() - UNANSWERED_MS) this.#onlyTls(triedAt)
        triedAt = undefined
      },
      // One that runs goes back as well, with all that is on it.
      renewAfterMs: (by) => (by === udp ? undefined : TRY_UDP_MS),
    }
  }

  /**
   * UDP stands last, as what is wanted most. It is not beside TLS each time: where it gets through one way only, its initiation comes first
   * and makes the other, which is older, void.
   */
  #ways(tries: number, udp: Endpoint, tls: Endpoint): readonly Endpoint[] {
    if (!this.#blocked.has(this.#network())) return tries === 0 ? [udp] : tries % 2 === 1 ? [tls, udp] : [tls]
    const due = this.#init.clock.monotonic() - this.#triedUdpAt >= TRY_UDP_MS
    return due ? [tls, udp] : [tls]
  }

  #onUdp(): void {
    this.#udpAnsweredAt = this.#init.clock.monotonic()
    if (this.#blocked.delete(this.#network())) this.#init.onChange()
  }

  #onlyTls(triedAt: number): void {
    // Another entry answered by UDP meanwhile: it is this one that does not.
    if (this.#udpAnsweredAt > triedAt) return
    const network = this.#network()
    if (this.#blocked.has(network)) return
    const [oldest] = this.#blocked.keys()
    if (oldest !== undefined && this.#blocked.size >= NETWORKS) this.#blocked.delete(oldest)
    this.#blocked.set(network, this.#init.clock.now())
    this.#init.onChange()
  }
}

/** ms that an answer by UDP may take before it counts as missing. */
const UNANSWERED_MS = 900

/** The addresses of this machine tell its network well enough, and need no privileges. */
function networkText(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all
    .filter(({ internal }) => !internal)
    .map(({ address }) => address)
    .sort()
    .join(' ')
}
