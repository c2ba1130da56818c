import { type Clock, type Random, WeftError, orAborted } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { LinkProfile } from './link-profile.ts'
import { type ConnectionWorld, SimulatedConnection } from './simulated-connection.ts'
import type { SimulatedEndpoint } from './simulated-endpoint.ts'
import { SimulatedLinks } from './simulated-links.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Site } from './site.ts'
import type { Trace } from './trace.ts'

export interface InternetOptions {
  /** The one clock of the simulation. */
  readonly time: Clock
  readonly profile: LinkProfile
  readonly random: Random
  readonly trace: Trace
}

/** Crossings of one dial: TCP's handshake, and TLS 1.3's (RFC 8446, section 2). */
const HANDSHAKE_CROSSINGS = 4
/** ms: as the real transport waits for one address. */
const DIAL_TIMEOUT_MS = 5_000
/** Ports that a machine dials from (RFC 6335, section 6). */
const FIRST_EPHEMERAL_PORT = 49_152
const EPHEMERAL_PORTS = 16_384

/** All machines of a simulation with what lies between them: who listens where, who reaches whom, how long it takes. */
export class SimulatedInternet {
  readonly #options: InternetOptions
  readonly #links: SimulatedLinks
  readonly #world: ConnectionWorld
  /** Machines that are switched on, by their address. */
  readonly #machines = new Map<string, Site>()
  /** Endpoints that listen or listened, by their multiaddr without an id. */
  readonly #listeners = new Map<string, SimulatedEndpoint>()
  /** Every endpoint of a process. */
  readonly #endpoints = new Map<SimulatedProcess, Set<SimulatedEndpoint>>()
  /** In which part of a cut network a process is; all are in one while there is no cut. */
  #partOf: ((process: SimulatedProcess) => number) | undefined
  #dials = 0

  constructor(options: InternetOptions) {
    const { time, profile, random, trace } = options
    this.#options = options
    this.#links = new SimulatedLinks(profile, random)
    this.#world = { time, links: this.#links, random, trace, reaches: (a, b) => this.#reaches(a.process, b.process) }
  }

  /** Switches a machine on: dials to it are refused until a process listens there. */
  addMachine(site: Site): void {
    this.#machines.set(site.address, site)
  }

  /** Brings an endpoint in. @param address where it listens, a multiaddr; undefined for one that only dials */
  attach(endpoint: SimulatedEndpoint, address: string | undefined): void {
    const endpoints = this.#endpoints.get(endpoint.process) ?? new Set()
    this.#endpoints.set(endpoint.process, endpoints.add(endpoint))
    if (address !== undefined) this.#listeners.set(address, endpoint)
  }

  /** Takes an endpoint out and ends its connections properly. */
  detach(endpoint: SimulatedEndpoint): void {
    for (const connection of endpoint.connections()) connection.close(endpoint)
    const endpoints = this.#endpoints.get(endpoint.process)
    endpoints?.delete(endpoint)
    if (endpoints?.size === 0) this.#endpoints.delete(endpoint.process)
  }

  /** Ends a process: `ended` as by SIGKILL, when its machine resets its connections; `gone` as by a cut cable. */
  end(process: SimulatedProcess, how: 'ended' | 'gone'): void {
    process.end(how)
    for (const endpoint of this.#endpoints.get(process) ?? []) {
      for (const connection of endpoint.connections()) {
        if (how === 'ended') connection.reset(endpoint)
        else connection.refresh()
      }
    }
    this.#endpoints.delete(process)
  }

  stall(process: SimulatedProcess): void {
    process.stall()
    this.#refresh(process)
  }

  resume(process: SimulatedProcess): void {
    process.resume()
    this.#refresh(process)
  }

  /** Cuts the network in parts that do not reach each other. @param partOf the number of the part of a process */
  partition(partOf: (process: SimulatedProcess) => number): void {
    this.#partOf = partOf
    for (const process of this.#endpoints.keys()) this.#refresh(process)
  }

  /** Ends a cut. */
  heal(): void {
    this.#partOf = undefined
    for (const process of this.#endpoints.keys()) this.#refresh(process)
  }

  /**
   * Dials an address and expects a node there.
   * @throws WeftError E_NODE_UNREACHABLE, E_ABORTED
   */
  dial(
    from: SimulatedEndpoint,
    address: string,
    id: DidKey,
    signal: AbortSignal | undefined,
  ): Promise<SimulatedConnection> {
    const { time } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<SimulatedConnection>()
    const port = FIRST_EPHEMERAL_PORT + (this.#dials++ % EPHEMERAL_PORTS)
    const source = `/ip4/${from.process.site.address}/tcp/${port}`
    const target = this.#listeners.get(address)
    const fail = (reason: string): void => reject(unreachable(id, address, reason))
    const isDropped = target !== undefined && this.#options.profile.drops?.(from.process.site, target.process.site)
    if (target === undefined || isDropped === true || !this.#answers(from.process, target.process)) {
      const refusedBy = this.#refusing(from.process, address, target)
      const ms = refusedBy === undefined ? DIAL_TIMEOUT_MS : this.#crossings(from.process.site, refusedBy, 2)
      const reason = refusedBy === undefined ? `no answer within ${DIAL_TIMEOUT_MS} ms` : 'ECONNREFUSED'
      time.after(ms, () => from.process.arrive(() => fail(reason)))
    } else {
      time.after(this.#crossings(from.process.site, target.process.site, HANDSHAKE_CROSSINGS), () =>
        from.process.arrive(() => {
          if (from.process.over || !this.#answers(from.process, target.process)) fail('the connection was lost')
          else if (target.id !== id) fail('another node answers there')
          else {
            const near = { endpoint: from, address: source }
            resolve(new SimulatedConnection(this.#world, near, { endpoint: target, address }))
          }
        }),
      )
    }
    return orAborted(promise, signal)
  }

  #refresh(process: SimulatedProcess): void {
    for (const endpoint of this.#endpoints.get(process) ?? []) {
      for (const connection of endpoint.connections()) connection.refresh()
    }
  }

  /** The machine that says that nobody listens there; undefined when nothing answers. */
  #refusing(from: SimulatedProcess, address: string, target: SimulatedEndpoint | undefined): Site | undefined {
    if (target === undefined) return this.#machines.get(address.split('/')[2] ?? '')
    return target.process.state === 'ended' && this.#reaches(from, target.process) ? target.process.site : undefined
  }

  #crossings(from: Site, to: Site, count: number): number {
    let ms = 0
    for (let at = 0; at < count; at++) ms += this.#links.crossing(from, to)
    return ms
  }

  #reaches(a: SimulatedProcess, b: SimulatedProcess): boolean {
    if (a.state === 'gone' || b.state === 'gone') return false
    return this.#partOf === undefined || this.#partOf(a) === this.#partOf(b)
  }

  /** Whether a dial gets its answers. A machine whose process is stalled accepts it, and nothing secures it. */
  #answers(from: SimulatedProcess, to: SimulatedProcess): boolean {
    return to.state === 'running' && this.#reaches(from, to)
  }
}

function unreachable(id: DidKey, address: string, reason: string): WeftError {
  return new WeftError({
    code: 'E_NODE_UNREACHABLE',
    cause: `${shortId(id)} cannot be reached: ${address} (${reason}).`,
    fix: 'See that the node runs and that its overlay port is open from here.',
    retryable: true,
    details: { node: id },
  })
}
