import { type Clock, type Random, WeftError, orAborted } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { LinkProfile } from './link-profile.ts'
import { type ConnectionWorld, SimulatedConnection } from './simulated-connection.ts'
import type { SimulatedEndpoint } from './simulated-endpoint.ts'
import { SimulatedLinks } from './simulated-links.ts'
import { SimulatedNat } from './simulated-nat.ts'
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

/** A TCP port of a machine, as others see it. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** A call to a port from which its machine calls back at the same time. */
export interface KnockOptions {
  readonly id: DidKey
  readonly to: HostPort
  /** Whether this side counts as the one that dialled: of the two one does. */
  readonly dialler: boolean
}

interface Knock {
  readonly endpoint: SimulatedEndpoint
  readonly from: HostPort
  readonly dialler: boolean
  readonly resolve: (connection: SimulatedConnection) => void
  readonly reject: (error: WeftError) => void
}

/** Crossings of one dial: TCP's handshake, and TLS 1.3's (RFC 8446, section 2). */
const HANDSHAKE_CROSSINGS = 4
/** ms: as the real transport waits for one address. */
const DIAL_TIMEOUT_MS = 5_000
/** Ports that a machine gives out by itself (RFC 6335, section 6). */
const FIRST_EPHEMERAL_PORT = 49_152
const EPHEMERAL_PORTS = 16_384
/** ms after which the first segment of a call is sent again, from its beginning (RFC 6298, section 2: 1 s, doubled each time). */
const SYN_MS = [0, 1_000, 3_000, 7_000]

/** All machines of a simulation with what lies between them: who listens where, who reaches whom, how long it takes. */
export class SimulatedInternet {
  readonly #options: InternetOptions
  readonly #links: SimulatedLinks
  readonly #world: ConnectionWorld
  /** Machines that are switched on, by their address. */
  readonly #machines = new Map<string, Site>()
  /** The routers of those that are behind one. */
  readonly #nats = new Map<string, SimulatedNat>()
  /** Endpoints that listen or listened, by their multiaddr without an id. */
  readonly #listeners = new Map<string, SimulatedEndpoint>()
  /** Every endpoint of a process. */
  readonly #endpoints = new Map<SimulatedProcess, Set<SimulatedEndpoint>>()
  /** In which part of a cut network a process is; all are in one while there is no cut. */
  #partOf: ((process: SimulatedProcess) => number) | undefined
  #ports = 0
  /** Calls to ports at which nobody listens, by who calls whom. */
  readonly #knocks = new Map<string, Knock>()

  constructor(options: InternetOptions) {
    const { time, profile, random, trace } = options
    this.#options = options
    this.#links = new SimulatedLinks(profile, random)
    this.#world = { time, links: this.#links, random, trace, reaches: (a, b) => this.#reaches(a.process, b.process) }
  }

  /** Switches a machine on: dials to it are refused until a process listens there. */
  addMachine(site: Site): void {
    this.#machines.set(site.address, site)
    if (site.nat !== undefined) this.#nats.set(site.address, new SimulatedNat(site.nat, this.#options.time))
  }

  /** A port to make calls from. */
  ephemeralPort(): number {
    return FIRST_EPHEMERAL_PORT + (this.#ports++ % EPHEMERAL_PORTS)
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
    const to = hostPortOf(address)
    const source = this.#call(from, to)
    const target = this.#listeners.get(address)
    const fail = (reason: string): void => reject(unreachable(id, address, reason))
    const isDropped = target !== undefined && this.#options.profile.drops?.(from.process.site, target.process.site)
    const isLetIn = target !== undefined && isDropped !== true && this.#letsIn(to, source)
    if (target === undefined || !isLetIn || !this.#answers(from.process, target.process)) {
      const refusedBy = isDropped === true ? undefined : this.#refusing(from.process, to, source, target)
      const ms = refusedBy === undefined ? DIAL_TIMEOUT_MS : this.#crossings(from.process.site, refusedBy, 2)
      const reason = refusedBy === undefined ? `no answer within ${DIAL_TIMEOUT_MS} ms` : 'ECONNREFUSED'
      time.after(ms, () => from.process.arrive(() => fail(reason)))
    } else {
      time.after(this.#crossings(from.process.site, target.process.site, HANDSHAKE_CROSSINGS), () =>
        from.process.arrive(() => {
          if (from.process.over || !this.#answers(from.process, target.process)) fail('the connection was lost')
          else if (target.id !== id) fail('another node answers there')
          else {
            const near = { endpoint: from, address: addressOf(source) }
            resolve(new SimulatedConnection(this.#world, near, { endpoint: target, address }))
          }
        }),
      )
    }
    return orAborted(promise, signal)
  }

  /**
   * Calls a port from which its machine calls this one at the same time: TCP's simultaneous open (RFC 9293, section 3.5,
   * Figure 7), which needs that each side calls the port that the other's call has for the outside, and that the NATs of both let it in.
   * @throws WeftError E_NODE_UNREACHABLE, E_ABORTED
   */
  async knock(from: SimulatedEndpoint, options: KnockOptions, signal: AbortSignal): Promise<SimulatedConnection> {
    const { time } = this.#options
    const { id, to, dialler } = options
    const { promise, resolve, reject } = Promise.withResolvers<SimulatedConnection>()
    const source = this.#call(from, to)
    const name = knockName(source, to)
    const knock: Knock = { endpoint: from, from: source, dialler, resolve, reject }
    this.#knocks.set(name, knock)
    const machine = this.#machines.get(to.host)
    const arrive = (): void => this.#knocked(knock, to)
    const sends = SYN_MS.map((ms) =>
      time.after(ms + (machine === undefined ? 0 : this.#links.crossing(from.process.site, machine)), arrive),
    )
    const end = time.after(DIAL_TIMEOUT_MS, () => reject(unreachable(id, addressOf(to), 'no answer')))
    try {
      return await orAborted(promise, signal)
    } finally {
      if (this.#knocks.get(name) === knock) this.#knocks.delete(name)
      for (const cancel of [...sends, end]) cancel()
    }
  }

  /** The first segment of a call is at the router of the other side, or at its machine. */
  #knocked(knock: Knock, to: HostPort): void {
    const { time } = this.#options
    const { endpoint, from } = knock
    // The other side's was here first, and the connection is being made.
    if (this.#knocks.get(knockName(from, to)) !== knock) return
    const mirrored = this.#knocks.get(knockName(to, from))
    const machine = this.#machines.get(to.host)
    if (machine === undefined || !this.#letsIn(to, from)) return
    if (mirrored === undefined) {
      // Nobody waits for it there: the machine refuses.
      time.after(this.#links.crossing(machine, endpoint.process.site), () =>
        endpoint.process.arrive(() => knock.reject(unreachable(endpoint.id, addressOf(to), 'ECONNREFUSED'))),
      )
      return
    }
    if (!this.#answers(endpoint.process, mirrored.endpoint.process)) return
    this.#knocks.delete(knockName(to, from))
    this.#knocks.delete(knockName(from, to))
    time.after(this.#crossings(endpoint.process.site, machine, HANDSHAKE_CROSSINGS - 1), () => {
      if (!this.#answers(endpoint.process, mirrored.endpoint.process)) return
      const [near, far] = knock.dialler ? [knock, mirrored] : [mirrored, knock]
      const side = (one: Knock) => ({ endpoint: one.endpoint, address: addressOf(one.from) })
      const connection = new SimulatedConnection(this.#world, side(near), side(far))
      for (const one of [near, far]) one.endpoint.process.arrive(() => one.resolve(connection))
    })
  }

  /** A call leaves its machine, and makes a hole in the router that this is behind. Where it comes from for the outside. */
  #call(from: SimulatedEndpoint, to: HostPort): HostPort {
    const { address: host } = from.process.site
    const port = this.#nats.get(host)?.out(from.port, nameOf(to)) ?? from.port
    return { host, port }
  }

  #letsIn(to: HostPort, from: HostPort): boolean {
    return this.#nats.get(to.host)?.lets(to.port, nameOf(from)) ?? true
  }

  #refresh(process: SimulatedProcess): void {
    for (const endpoint of this.#endpoints.get(process) ?? []) {
      for (const connection of endpoint.connections()) connection.refresh()
    }
  }

  /** The machine that says that nobody listens there; undefined when nothing answers. */
  #refusing(
    from: SimulatedProcess,
    to: HostPort,
    source: HostPort,
    target: SimulatedEndpoint | undefined,
  ): Site | undefined {
    if (!this.#letsIn(to, source)) return undefined
    if (target === undefined) return this.#machines.get(to.host)
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

/** @param address `/ip4/HOST/tcp/PORT` */
function hostPortOf(address: string): HostPort {
  const [, , host = '', , port] = address.split('/')
  return { host, port: Number(port) }
}

function addressOf({ host, port }: HostPort): string {
  return `/ip4/${host}/tcp/${port}`
}

function nameOf({ host, port }: HostPort): string {
  return `${host}:${port}`
}

function knockName(from: HostPort, to: HostPort): string {
  return `${nameOf(from)} ${nameOf(to)}`
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
