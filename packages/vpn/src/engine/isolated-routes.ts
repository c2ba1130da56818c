import { hash } from 'node:crypto'
import { type Random, WeftError, concatBytes, utf8 } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { ProfileIsolation } from '../profile/profile.ts'
import type { ChoiceQuestion, LegChoice, LegVerification, OtherRouteStatus, RouteUse } from '../vpn.ts'
import type { ClientRoutes } from './client-routes.ts'

/** Pairs of user and password with routes of their own at most; one more ends one that carries nothing, or is refused. */
const MAX_ISOLATIONS = 16
/** The routes of requests without user and password, but those to groups of destinations; no credentials can have this name, which is base64. */
export const DEFAULT = '-'

/** Those of the whole machine, alike. */
export const TUN_ROUTES = '-tun'
/** Before the number of those of a group of destinations, alike. */
const GROUP = '-to'
/**
 * Groups of destinations where a profile keeps these apart: each takes circuits of its own, so that there cannot be one for each. Which destinations
 * share one is drawn anew at each start.
 */
const GROUPS = 8

/** The routes of each user of the proxy: requests with other credentials never share a circuit. */
export class IsolatedRoutes {
  readonly #make: (name: string) => ClientRoutes
  /** Used last: stands last. */
  readonly #routes = new Map<string, ClientRoutes>()
  /** What routes that are ended have carried. */
  readonly #endedBytes = { sent: 0, received: 0 }
  /** By which people tell users and passwords apart that are named nowhere. */
  readonly #numbers = new WeakMap<ClientRoutes, number>()
  #numbered = 0
  /** As the profile says; undefined until it is changed. */
  #isolation: ProfileIsolation | undefined

  readonly #salt: Uint8Array

  constructor(make: (name: string) => ClientRoutes, random: Random) {
    this.#make = make
    this.#salt = random.bytes(16)
  }

  /** The routes of requests to this host, where destinations are kept apart. @param host as the program gave it */
  toDestination(host: string): ClientRoutes {
    const digest = hash('sha256', concatBytes([this.#salt, utf8(host.toLowerCase())]), 'buffer')
    return this.of(`${GROUP}${digest.readUInt32BE(0) % GROUPS}`)
  }

  /** Those of requests without credentials that go to no group of destinations; undefined until they are asked for, and again once they are closed. */
  get default(): ClientRoutes | undefined {
    return this.#routes.get(DEFAULT)
  }

  /** Bytes of all connections of this client that went each way, over routes that are ended too. */
  get bytes(): { readonly sent: number; readonly received: number } {
    let { sent, received } = this.#endedBytes
    for (const { bytes } of this.#routes.values()) {
      sent += bytes.sent
      received += bytes.received
    }
    return { sent, received }
  }

  /** All but the default ones: the machine's first, then those of users and passwords, and of groups of destinations. */
  get others(): OtherRouteStatus[] {
    const machine = this.#routes.get(TUN_ROUTES)
    const numbered = this.#others().map(([, routes]) => ({ routes, number: this.#numberOf(routes) }))
    const groups = [...this.#routes].filter(([name]) => name.startsWith(GROUP)).sort(([a], [b]) => a.localeCompare(b))
    return [
      ...(machine === undefined ? [] : [statusOf('tunnel', undefined, machine)]),
      ...numbered
        .sort((a, b) => a.number - b.number)
        .map(({ routes, number }) => statusOf('credentials', number, routes)),
      ...groups.map(([name, routes]) => statusOf('destination', numberOfGroup(name), routes)),
    ]
  }

  /** As {@link ClientRoutes.verify}, of all of them. */
  async verify(): Promise<LegVerification[]> {
    const all = await Promise.all(
      [...this.#routes].map(async ([name, routes]) => {
        const use = this.useOf(name)
        return (await routes.verify()).map((leg) => ({ ...use, ...leg }))
      }),
    )
    return all.flat()
  }

  /** As {@link ClientRoutes.choices}, of all of them. */
  choices(question: ChoiceQuestion): LegChoice[] {
    return [...this.#routes].flatMap(([name, routes]) =>
      routes.choices(question).map((leg) => ({ ...this.useOf(name), ...leg })),
    )
  }

  /** What the routes of a name carry. */
  useOf(name: string): RouteUse {
    if (name === DEFAULT) return { use: 'proxy', number: undefined }
    if (name === TUN_ROUTES) return { use: 'tunnel', number: undefined }
    if (name.startsWith(GROUP)) return { use: 'destination', number: numberOfGroup(name) }
    const routes = this.#routes.get(name)
    return { use: 'credentials', number: routes && this.#numberOf(routes) }
  }

  /**
   * @param isolation the credentials, as the parser gives them; undefined without
   * @throws WeftError E_PROXY_FULL when it is new, and all others have connections
   */
  of(isolation: string | undefined): ClientRoutes {
    const name = isolation ?? DEFAULT
    const existing = this.#routes.get(name)
    if (existing !== undefined) {
      this.#routes.delete(name)
      this.#routes.set(name, existing)
      return existing
    }
    if (isOfCredentials(name) && this.#others().length >= MAX_ISOLATIONS) this.#endIdle()
    const routes = this.#make(name)
    this.#routes.set(name, routes)
    return routes
  }

  /** What is kept apart from now on: other routes end, as soon as nothing runs over them. */
  isolate(isolation: ProfileIsolation): void {
    this.#isolation = isolation
    this.#endUnwanted()
  }

  /** Builds what is missing; to be called when members change. */
  keep(): void {
    this.#endUnwanted()
    for (const routes of this.#routes.values()) routes.keep()
  }

  /** New streams of all take new routes. */
  renew(): void {
    for (const routes of this.#routes.values()) routes.renew()
  }

  onReach(unreachable: ReadonlySet<DidKey>): void {
    for (const routes of this.#routes.values()) routes.onReach(unreachable)
  }

  /** Ends all of them; later requests get new ones. */
  close(): void {
    for (const name of this.#routes.keys()) this.#end(name)
  }

  #numberOf(routes: ClientRoutes): number {
    const number = this.#numbers.get(routes) ?? ++this.#numbered
    this.#numbers.set(routes, number)
    return number
  }

  #others(): [string, ClientRoutes][] {
    return [...this.#routes].filter(([name]) => isOfCredentials(name))
  }

  /** Ends the one without open connections that was used longest ago. Whoever makes up credentials ends no connections of others. */
  #endIdle(): void {
    const [name] = this.#others().find(([, { streams }]) => streams === 0) ?? []
    if (name === undefined) throw tooManyIsolations()
    this.#end(name)
  }

  /** Ends those that no request can take any more, and over which nothing runs. */
  #endUnwanted(): void {
    for (const [name, { streams }] of this.#routes) if (streams === 0 && !this.#isWanted(name)) this.#end(name)
  }

  #isWanted(name: string): boolean {
    if (name.startsWith(GROUP)) return this.#isolation === undefined || this.#isolation === 'destination'
    return !isOfCredentials(name) || this.#isolation !== 'none'
  }

  #end(name: string): void {
    const routes = this.#routes.get(name)
    this.#routes.delete(name)
    if (routes === undefined) return
    routes.close()
    this.#endedBytes.sent += routes.bytes.sent
    this.#endedBytes.received += routes.bytes.received
  }
}

function numberOfGroup(name: string): number {
  return Number(name.slice(GROUP.length)) + 1
}

function isOfCredentials(name: string): boolean {
  return name !== DEFAULT && name !== TUN_ROUTES && !name.startsWith(GROUP)
}

function tooManyIsolations(): WeftError {
  return new WeftError({
    code: 'E_PROXY_FULL',
    cause: `Programs have connections with ${MAX_ISOLATIONS} users and passwords already, each on routes of its own.`,
    fix: 'Close connections, or use fewer users and passwords: those with the same share a route.',
    retryable: true,
  })
}

function statusOf(use: OtherRouteStatus['use'], number: number | undefined, routes: ClientRoutes): OtherRouteStatus {
  const { state, fault } = routes
  return { use, number, state, fault, legs: routes.legs(), events: routes.events }
}
