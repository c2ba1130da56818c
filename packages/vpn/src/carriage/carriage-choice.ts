import { networkInterfaces } from 'node:os'
import type { Clock } from '@weft/core'
import type { Endpoint, LinkPaths } from '@weft/onion'
import type { CarriageStatus, CarriedOver } from '../vpn.ts'
import { inHalves, udpPaths } from './udp-paths.ts'

/** What a client's packets to its entry travel in: UDP, TLS over TCP, or whichever works, UDP first. */
export type CarriageSetting = 'auto' | 'udp' | 'tls'

export interface CarriageChoiceInit {
  readonly setting: CarriageSetting
  /** Why nothing else is possible than the setting; by default because it is set so. */
  readonly reason?: string
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
/** Networks remembered as such where UDP, or whole packets, do not work. */
const NETWORKS = 16
/** The port of web servers: networks that let little through let TLS through there. */
export const WEB_PORT = 443
/** ms for which one port that was not reached speaks for all others. */
const WEB_ONLY_MS = 10 * 60_000
/** ms since an answer by UDP in which an entry that is not reached is thought to be down: links that stand are renewed more often. */
const UDP_LATELY_MS = 180_000

/**
 * Which way links to entries take. With `auto` UDP goes first; where a handshake was not answered within a second, others go in halves and in TLS
 * beside the next, and the first answer counts. Where that came in TLS alone, later links of this network begin with TLS, and UDP is tried beside
 * it every half minute; one answer brings everything back to it. Where it came in halves, they begin with these, and whole packets beside them.
 */
export class CarriageChoice {
  readonly #init: CarriageChoiceInit
  readonly #network: () => string
  /** Networks where UDP does not work: since when, ms since the Unix epoch. */
  readonly #blocked = new Map<string, number>()
  /** Networks where whole packets do not get through. */
  readonly #narrow = new Set<string>()
  /** Networks where TLS was not to be had at another port than 443: until when that counts, monotonic ms. */
  readonly #webOnly = new Map<string, number>()
  /** The ways in TLS that links of this client may take. */
  readonly #inTls = new WeakSet<Endpoint>()
  #triedUdpAt = -Infinity
  /** Monotonic ms, and in which network. */
  #udpAnsweredAt = -Infinity
  #udpAnsweredIn = ''

  constructor(init: CarriageChoiceInit) {
    this.#init = init
    this.#network = init.network ?? networkText
  }

  get status(): CarriageStatus {
    const { setting, reason: given = `vpn.carriage is ${setting}` } = this.#init
    if (setting !== 'auto') return { over: setting, setting, reason: given, since: undefined }
    const since = this.#blocked.get(this.#network())
    if (since === undefined && this.#narrow.has(this.#network())) {
      const reason =
        'an entry answered to halves of packets, and not to whole ones, which this network seems not to carry'
      return { over: 'halves', setting, reason, since: undefined }
    }
    if (since === undefined) return { over: 'udp', setting, reason: '', since: undefined }
    const blocked = 'an entry answered in TLS over TCP, and not by UDP, which seems to be blocked in this network'
    const reason = this.isWebOnly ? `${blocked}; other ports than 443 too: entries there are taken first` : blocked
    return { over: 'tls', setting, reason, since }
  }

  /** The ways of one link to an entry. */
  pathsTo(udp: Endpoint, linkKey: Uint8Array): LinkPaths {
    const { setting, inTls, clock } = this.#init
    if (setting === 'udp') return udpPaths(udp)
    const halves = inHalves(udp)
    const tls = inTls(udp, linkKey)
    this.#inTls.add(tls)
    if (setting === 'tls') return { next: () => [tls] }
    /** Of the handshake that runs: the first time that UDP was tried; monotonic ms. */
    let triedAt: number | undefined
    return {
      next: (tries) => {
        const ways = this.#ways(tries, { udp, halves, tls })
        if (tries === 0) triedAt = undefined
        if (ways.some(({ over }) => over !== 'tls')) triedAt ??= this.#triedUdpAt = clock.monotonic()
        return ways
      },
      answered: (by) => {
        if (by !== tls) this.#onUdp(by === halves)
        else if (triedAt !== undefined && triedAt < clock.monotonic() - UNANSWERED_MS) this.#onlyTls(triedAt)
        triedAt = undefined
      },
      // One that runs goes back as well, with all that is on it.
      renewAfterMs: (by) => (by === tls ? TRY_UDP_MS : undefined),
    }
  }

  /** A connection in TLS was made, or could not be. */
  tlsTried(way: Endpoint, isMade: boolean): void {
    if (way.port === WEB_PORT || !this.#inTls.has(way)) return
    const network = this.#network()
    const now = this.#init.clock.monotonic()
    const hasUdp = network === this.#udpAnsweredIn && now - this.#udpAnsweredAt < UDP_LATELY_MS
    this.#webOnly.delete(network)
    if (isMade || hasUdp) return
    forgetOldest(this.#webOnly)
    this.#webOnly.set(network, now + WEB_ONLY_MS)
  }

  /** This network seems to lead to entries at port 443 only: neither UDP nor TLS at another port was to be had. */
  get isWebOnly(): boolean {
    return this.#init.clock.monotonic() < (this.#webOnly.get(this.#network()) ?? -Infinity)
  }

  /**
   * What is wanted most stands last. It is not there each time: where it gets through one way only, its initiation comes first
   * and makes the others, which are older, void.
   */
  #ways(tries: number, { udp, halves, tls }: Record<CarriedOver, Endpoint>): readonly Endpoint[] {
    const network = this.#network()
    if (this.#blocked.has(network)) {
      const due = this.#init.clock.monotonic() - this.#triedUdpAt >= TRY_UDP_MS
      return due ? [tls, halves, udp] : [tls]
    }
    if (tries === 0) return this.#narrow.has(network) ? [halves, udp] : [udp]
    const rounds = [[tls, halves, udp], [tls, halves], [tls]] as const
    return rounds[(tries - 1) % rounds.length] as readonly Endpoint[]
  }

  #onUdp(isNarrow: boolean): void {
    this.#udpAnsweredAt = this.#init.clock.monotonic()
    const network = this.#network()
    this.#udpAnsweredIn = network
    this.#webOnly.delete(network)
    const wasNarrow = this.#narrow.has(network)
    if (isNarrow) remember(this.#narrow, network)
    else this.#narrow.delete(network)
    if (this.#blocked.delete(network) || wasNarrow !== isNarrow) this.#init.onChange()
  }

  #onlyTls(triedAt: number): void {
    // Another entry answered by UDP meanwhile: it is this one that does not.
    if (this.#udpAnsweredAt > triedAt) return
    const network = this.#network()
    if (this.#blocked.has(network)) return
    forgetOldest(this.#blocked)
    this.#blocked.set(network, this.#init.clock.now())
    this.#init.onChange()
  }
}

/** ms that an answer by UDP may take before it counts as missing. */
const UNANSWERED_MS = 900

function remember(networks: Set<string>, network: string): void {
  if (networks.has(network)) return
  forgetOldest(networks)
  networks.add(network)
}

function forgetOldest(networks: Map<string, unknown> | Set<string>): void {
  const [oldest] = networks.keys()
  if (oldest !== undefined && networks.size >= NETWORKS) networks.delete(oldest)
}

/** The addresses of this machine tell its network well enough, and need no privileges. */
function networkText(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all
    .filter(({ internal }) => !internal)
    .map(({ address }) => address)
    .sort()
    .join(' ')
}
