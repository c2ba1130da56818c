import { type Clock, type Logger, type Random, WeftError, toHex } from '@weft/core'
import { type DidKey, type X25519KeyPair, toDidKey } from '@weft/crypto'
import {
  type CircuitLink,
  ClientCircuits,
  type Endpoint,
  type Link,
  type LinkDownReason,
  type LinkPaths,
  LinkSet,
  SharedInitiationTimes,
  type Packet,
  type ReceiptAnswer,
  type Suites,
} from '@weft/onion'
import { loadSuites } from '../aead/load-suites.ts'
import { OUTSIDE_MARK, type OutsideAddress } from '../tun/machine-rules-text.ts'
import { DEFAULT_ROUTE_PROFILE, type RouteProfile } from '../profile/route-profile.ts'
import type { MemberAddresses } from '../route/member-addresses.ts'
import { ClientChoice } from '../route/client-choice.ts'
import type { GuardState } from '../route/guard-state.ts'
import type { RouteMember } from '../route/route-member.ts'
import type {
  ChoiceQuestion,
  RouteChoices,
  RouteLegs,
  RouteVerification,
  ThreadStatus,
  Throughput,
  VpnEvents,
  VpnStatus,
} from '../vpn.ts'
import { Alarm } from './alarm.ts'
import { CarriageChoice, WEB_PORT } from '../carriage/carriage-choice.ts'
import { udpPaths } from '../carriage/udp-paths.ts'
import { LoadMeter, type LoadMeterInit } from '../load/load-meter.ts'
import { Carrier } from './carrier.ts'
import { ClientRoutes } from './client-routes.ts'
import type { EngineInit, MachineWays } from './engine-init.ts'
import { FlushQueue } from './flush-queue.ts'
import { IsolatedRoutes } from './isolated-routes.ts'
import { linkFault } from './link-fault.ts'
import { LinkProbes } from './link-probes.ts'
import { PacketPorts } from './packet-ports.ts'
import type { LoadStep, LossCount } from '@weft/overlay'
import type { ProbeTarget } from './probe-target.ts'
import { routeKind } from './route-kind.ts'
import { PacketPurse } from '../receipts/packet-purse.ts'
import { type NumberedPayment, PacketTill } from '../receipts/packet-till.ts'
import type { IssuerKey } from '../receipts/receipt-issuer.ts'
import type { OwnToken } from '../receipts/spend.ts'
import { ServiceRoutes } from './service-routes.ts'
import { Turns } from './turns.ts'
import { ThroughputMeter } from './throughput-meter.ts'
import { WaysIn } from './ways-in.ts'
import type { WorkerPort } from './worker-message.ts'

export interface EngineParts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly onRoute: (event: VpnEvents['route']) => void
  /** The client's guards have changed: to be kept as they are for the next start. */
  readonly onGuards: (state: GuardState) => void
  readonly onRouteEvent: (event: VpnEvents['routeEvent']) => void
  readonly onThroughput: (event: Throughput) => void
  /** Payments for circuits of others, which `kept` answers; and tokens that this client's routes want, which `fillPurse` brings. */
  readonly onPayment?: (payment: NumberedPayment) => void
  readonly onWantTokens?: (count: number) => void
  /** How the load of a node that carries packets for others is measured, and who is told; left out, it is not. */
  readonly load?: Pick<LoadMeterInit, 'atWork' | 'onUse'>
}

/** ms between events of the route at least. */
const ROUTE_EVENT_MS = 250

/** Why packets of a client with bridges go in TLS. */
const BY_BRIDGE = 'this node calls by bridges only (weft bridge show), and they lead streams of bytes'

/**
 * The packet path of one node, in one thread: datagrams come in from the UDP port, go through their link to the relay's
 * circuits or to this client's own, and from sessions to TCP sockets; and back.
 */
export class PacketEngine {
  readonly #init: EngineInit
  readonly #parts: EngineParts
  readonly #choice: ClientChoice
  readonly #queue = new FlushQueue(() => this.#ports?.flush())
  readonly #links: LinkSet
  readonly #linkAlarm: Alarm
  readonly #handshakes = new Turns(() => this.#workOnHandshakes())
  /** Links that this node made as a client. */
  readonly #own = new WeakSet<CircuitLink>()
  readonly #circuits: ClientCircuits
  readonly #circuitAlarm: Alarm
  /** Of a node that carries packets for others. */
  readonly #carrier: Carrier | undefined
  readonly #routes: IsolatedRoutes
  /** This client's own to services of members. */
  readonly services: ServiceRoutes
  readonly #meter: ThroughputMeter
  readonly #waysIn: WaysIn
  /** Where routes are paid for. */
  readonly #purse: PacketPurse | undefined
  readonly #till: PacketTill | undefined
  #loadMeter: LoadMeter | undefined
  readonly #probes: LinkProbes
  readonly #carriage: CarriageChoice
  /** Of the batch at hand: places of what is not of a link. */
  readonly #others: number[] = []
  #ports: PacketPorts | undefined
  #profile: RouteProfile
  #members: readonly RouteMember[] = []
  #unreachable: ReadonlySet<DidKey> = new Set()
  #byKey = new Map<string, RouteMember>()
  #byLinkKey = new Map<string, RouteMember>()
  #cancelRouteEvent: (() => void) | undefined
  /** The question to all hops that is under way. */
  #verification: Promise<RouteVerification> | undefined
  #closed = false

  private constructor(init: EngineInit, parts: EngineParts, suites: Suites) {
    const { clock, random, logger } = parts
    const { keys, networkId, worker } = init
    this.#init = init
    this.#parts = parts
    this.#profile = init.profile ?? DEFAULT_ROUTE_PROFILE
    this.#choice = new ClientChoice({
      self: toDidKey(init.nodeKey),
      clock,
      random,
      guards: init.guards,
      profile: this.#profile,
      unlikely: () => this.#unlikelyEntries(),
      keepGuards: parts.onGuards,
    })
    this.#links = new LinkSet({
      networkId,
      clock,
      random,
      ...(keys === undefined ? {} : { keys: keys.link }),
      listen: keys !== undefined,
      suites,
      isMember: (linkKey) => this.#byLinkKey.has(toHex(linkKey)),
      part: worker.index,
      ...(worker.shared === undefined
        ? {}
        : { times: new SharedInitiationTimes(worker.shared.initiationTimes, worker.shared.secret) }),
      send: (bytes, to, isOwn) => {
        this.#ports?.send(bytes, to, isOwn)
        this.#queue.schedule()
      },
      onCell: (link, circuitId, packet) => {
        if (this.#own.has(link)) this.#circuits.onCell(link, circuitId, packet)
        else this.#carrier?.circuits.onCell(link, circuitId, packet)
      },
      onMessage: (link, command, circuitId, content) => {
        if (this.#own.has(link)) this.#circuits.onMessage(link, command, circuitId, content)
        else this.#carrier?.circuits.onMessage(link, command, circuitId, content)
        this.#setAlarms()
      },
      onLink: (link, state, reason) => this.#onLink(link, state, reason),
    })
    this.#linkAlarm = new Alarm(clock, () => {
      this.#links.onTimeout()
      this.#setAlarms()
    })
    const { nodeKey: self } = init
    if (init.receipts === true) {
      this.#purse = new PacketPurse(clock, (count) => parts.onWantTokens?.(count))
      const keep = (payment: NumberedPayment): void => parts.onPayment?.(payment)
      if (keys !== undefined) this.#till = new PacketTill({ networkId, self, clock, keep })
    }
    this.#circuits = new ClientCircuits({
      networkId,
      purse: this.#purse,
      clock,
      random,
      suites,
      onSooner: () => this.#circuitAlarm.set(this.#circuits.nextTimeout()),
    })
    this.#circuitAlarm = new Alarm(clock, () => {
      this.#circuits.onTimeout()
      this.#setAlarms()
    })
    const inTls = (endpoint: Endpoint, linkKey: Uint8Array) => this.#ports?.tls.to(endpoint, linkKey) ?? endpoint
    this.#probes = new LinkProbes(clock, ({ endpoint, linkKey, over }) =>
      over === 'tls'
        ? this.#linkAsClient(inTls(endpoint, linkKey), linkKey)
        : this.#linkAsClient(endpoint, linkKey, udpPaths(endpoint)),
    )
    const { setting, bridges } = init.carriage
    const onChange = (): void => this.#tellRoute()
    this.#carriage =
      bridges.length === 0
        ? new CarriageChoice({ setting, clock, inTls, onChange })
        : new CarriageChoice({ setting: 'tls', reason: BY_BRIDGE, clock, inTls, onChange })
    this.#routes = new IsolatedRoutes((name) => this.#makeRoutes(name), random)
    this.services = new ServiceRoutes(() => this.#makeRoutes(undefined), this.#queue)
    this.#meter = new ThroughputMeter(clock, () => this.#routes.bytes, parts.onThroughput)
    this.#waysIn = new WaysIn({
      ...parts,
      queue: this.#queue,
      routes: this.#routes,
      meter: this.#meter,
      proxy: init.proxy,
      stateFile: init.tun.stateFile,
      carriesForOthers: keys !== undefined,
      isolation: () => this.#profile.isolation,
      mark: () => this.#ports?.mark(OUTSIDE_MARK) ?? false,
      onChange: () => this.#tellRoute(),
    })
    if (keys !== undefined)
      this.#carrier = new Carrier({
        ...init,
        keys,
        till: this.#till,
        suites,
        queue: this.#queue,
        clock,
        random,
        logger,
        nextHop: (key, role) => this.#nextHop(key, role),
        isMember: (linkKey) => this.#byLinkKey.get(toHex(linkKey))?.key,
        onWorked: () => this.#setAlarms(),
      })
  }

  /** Opens the ports; nothing else happens until members are set or the proxy is up. @throws WeftError E_PORT_TAKEN, E_LISTEN_FAILED, E_EXIT_RULE */
  static async open(init: EngineInit, parts: EngineParts): Promise<PacketEngine> {
    const engine = new PacketEngine(init, parts, await loadSuites(init.suite, parts.logger))
    engine.#ports = await PacketPorts.open(init, {
      ...parts,
      onBatch: (count, packets, from, isOwn) => engine.#onBatch(count, packets, from, isOwn),
      onHold: (isHeld) => engine.#carrier?.circuits.queue.hold(isHeld),
      onTlsTried: (way, isMade) => engine.#carriage.tlsTried(way, isMade),
    })
    // A kill switch lets these out, whether or not there is a tunnel; where marks are not permitted it goes by addresses.
    if (init.keys === undefined) engine.#ports.mark(OUTSIDE_MARK)
    await engine.#carrier?.open()
    engine.#measureLoad()
    return engine
  }

  #measureLoad(): void {
    const { load, clock } = this.#parts
    const carrier = this.#carrier
    if (load === undefined || carrier === undefined) return
    const { relay, worker } = this.#init
    // One limit for all workers: together they use it up when each has its part.
    const bytesPerSecond = relay.bytesPerSecond === undefined ? undefined : relay.bytesPerSecond / worker.count
    this.#loadMeter = new LoadMeter({ ...load, clock, bytesPerSecond, signs: () => carrier.loadSigns() })
  }

  /** Where packets come in. */
  get endpoint(): Endpoint | undefined {
    return this.#ports?.address
  }

  /** The members of the newest signed map that carry packets. */
  setMembers(members: readonly RouteMember[]): void {
    this.#members = members
    this.#choice.setMembers(members)
    this.#byKey = new Map(members.map((member) => [toHex(member.key), member]))
    this.#byLinkKey = new Map(members.map((member) => [toHex(member.linkKey), member]))
    this.#routes.keep()
    this.services.keep()
  }

  /** Where members are called for clients whose circuits end here. */
  setAddresses(members: readonly MemberAddresses[]): void {
    this.#carrier?.setAddresses(members)
  }

  /** Another packet worker of this node, and the way to it: circuits of one may be legs of sessions of the other. */
  addWorker(index: number, port: WorkerPort): void {
    this.#carrier?.addWorker(index, port)
  }

  /** What circuits are made against from now on, newest first. */
  setOnionKeys(onionKeys: readonly X25519KeyPair[]): void {
    this.#carrier?.setOnionKeys(onionKeys)
  }

  /** What issuers have, whose tokens are taken for circuits of others. */
  setReceiptKeys(keys: readonly IssuerKey[]): void {
    this.#till?.setKeys(keys)
  }

  /** What the books say of a payment. */
  kept(number: number, answer: ReceiptAnswer): void {
    this.#till?.kept(number, answer)
    this.#queue.schedule()
  }

  /** Tokens for this client's routes. */
  fillPurse(tokens: readonly OwnToken[]): void {
    this.#purse?.fill(tokens)
  }

  /** Those that were not spent; to be asked for when it is closed. */
  emptyPurse(): readonly OwnToken[] {
    return this.#purse?.empty() ?? []
  }

  /** How this client's routes are made from now on; what runs goes on where it is. */
  setProfile(profile: RouteProfile): void {
    const { exit, hops, legs, tier } = this.#profile
    this.#profile = profile
    this.#choice.setProfile(profile)
    this.#routes.isolate(profile.isolation)
    if (exit !== profile.exit || hops !== profile.hops || legs !== profile.legs || tier !== profile.tier)
      this.#routes.renew()
  }

  /** Members that the overlay cannot reach at the moment. */
  setUnreachable(unreachable: ReadonlySet<DidKey>): void {
    this.#unreachable = unreachable
    this.#routes.onReach(unreachable)
    this.services.onReach(unreachable)
  }

  /** What members say of their load, those of whom it is known (docs/specs/load.md). */
  setLoads(loads: ReadonlyMap<DidKey, LoadStep>): void {
    this.#choice.setLoads(loads)
  }

  /** Addresses to which this daemon makes connections that are not to go through its own tunnel. */
  setOutside(outside: readonly OutsideAddress[]): void {
    this.#waysIn.setOutside(outside)
  }

  /** As {@link WaysIn.up}. */
  up(tun?: boolean, ways: MachineWays = this.#init): Promise<void> {
    return this.#waysIn.up(tun ?? ways.tun.isWanted, ways)
  }

  /** As {@link WaysIn.down}. */
  down(): Promise<void> {
    return this.#waysIn.down()
  }

  status(): ThreadStatus {
    return {
      state: this.#state(),
      fault: this.#routes.default?.fault,
      ...this.#waysIn.status,
      killSwitch: undefined,
      route: { ...this.#route(), events: this.#routes.default?.events ?? [] },
      others: this.#routes.others,
      services: this.services.status,
      carriage: this.#carriage.status,
      carried: this.#carrier?.status(this.#ports, this.#links),
      purse: this.#purse?.status,
    }
  }

  /** Asks every hop of every leg that is ready for its counters; whoever asks while that is under way gets the same answer. */
  verify(): Promise<RouteVerification> {
    this.#verification ??= this.#routes
      .verify()
      .then((legs) => ({ at: this.#parts.clock.now(), legs }))
      .finally(() => {
        this.#verification = undefined
      })
    return this.#verification
  }

  /** Why the routes of this node's user are as they are, and the guards that they begin at. */
  choices(question: ChoiceQuestion): RouteChoices {
    return { at: this.#parts.clock.now(), legs: this.#routes.choices(question), guards: this.#choice.guards }
  }

  /**
   * Makes a link to a node that asks for admission, as a stranger would.
   * @throws WeftError E_PACKETS_SILENT when nobody with its link key answers; E_LINK_KEY, E_LINK_LIMIT, E_LINKS_CLOSED
   */
  probe(target: ProbeTarget): Promise<void> {
    return this.#probes.probe(target)
  }

  /** Counts packets that are lost on the way to such a node and back. @throws as `probe` */
  measureLoss(target: ProbeTarget): Promise<LossCount> {
    return this.#probes.measure(target, this.#parts.random)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#loadMeter?.close()
    this.#handshakes.close()
    this.services.close()
    await this.#waysIn.close()
    await this.#carrier?.close()
    this.#circuits.close()
    this.#ports?.flush()
    this.#links.close()
    this.#cancelRouteEvent?.()
    for (const alarm of [this.#linkAlarm, this.#circuitAlarm]) alarm.clear()
    this.#ports?.close()
  }

  #onBatch(count: number, packets: readonly Packet[], from: readonly Endpoint[], isOwn: boolean): void {
    this.#carrier?.circuits.queue.begin(count)
    // Links that stand come first: a flood of handshakes in the same batch must not keep them waiting.
    this.#others.length = 0
    for (let at = 0; at < count; at++)
      if (!this.#links.receiveKnown(packets[at] as Packet, from[at] as Endpoint)) this.#others.push(at)
    if (isOwn) this.#links.counters.unknown += this.#others.length
    else for (const at of this.#others) this.#links.receiveOther(packets[at] as Packet, from[at] as Endpoint)
    this.#setAlarms()
    this.#queue.schedule()
    if (this.#links.wantsTurn || (this.#carrier?.circuits.waiting ?? 0) > 0) this.#handshakes.schedule()
  }

  #workOnHandshakes(): boolean {
    const links = this.#links.work()
    const circuits = this.#carrier?.circuits.work() ?? false
    this.#setAlarms()
    return links || circuits
  }

  #setAlarms(): void {
    if (this.#closed) return
    this.#linkAlarm.set(this.#links.nextTimeout())
    this.#circuitAlarm.set(this.#circuits.nextTimeout())
    this.#carrier?.setAlarm()
  }

  #onLink(link: Link, state: 'up' | 'down', reason?: LinkDownReason): void {
    const fault = linkFault(reason)
    // Not with whom: that is somebody's address.
    if (fault !== undefined) this.#parts.logger.warn('a link ended that was in use', { ...fault })
    this.#probes.onLink(link, state)
    if (state === 'down') {
      if (this.#own.has(link)) this.#circuits.onLinkDown(link)
      else this.#carrier?.circuits.onLinkDown(link)
    }
    this.#setAlarms()
  }

  #linkAsClient(endpoint: Endpoint, linkKey: Uint8Array, paths?: LinkPaths): Link {
    const link = this.#links.connect(endpoint, linkKey, true, paths)
    this.#own.add(link)
    this.#setAlarms()
    return link
  }

  /** Those that the network around seems not to lead to. */
  #unlikelyEntries(): ReadonlySet<DidKey> {
    if (!this.#carriage.isWebOnly) return new Set()
    const isAtWebPort = ({ endpoint, moreEndpoints = [] }: RouteMember): boolean =>
      [endpoint, ...moreEndpoints].some(({ port }) => port === WEB_PORT)
    return new Set(this.#members.flatMap((member) => (isAtWebPort(member) ? [] : member.id)))
  }

  #endpointOf(member: RouteMember): Endpoint {
    return this.#ports?.endpointOf(member) ?? member.endpoint
  }

  #nextHop(key: Uint8Array, role: 'relay' | 'exit'): CircuitLink | undefined {
    const member = this.#byKey.get(toHex(key))
    if (member === undefined || !member.roles.includes(role)) return undefined
    try {
      const endpoint = this.#endpointOf(member)
      return this.#links.connect(endpoint, member.linkKey, false, udpPaths(endpoint))
    } catch (error) {
      this.#parts.logger.debug('no link to the next hop', {
        code: error instanceof WeftError ? error.code : 'E_INTERNAL',
      })
      return undefined
    }
  }

  /** @param name undefined for routes to services */
  #makeRoutes(name: string | undefined): ClientRoutes {
    const { clock, random } = this.#parts
    const routes: ClientRoutes = new ClientRoutes({
      circuits: this.#circuits,
      queue: this.#queue,
      clock,
      random,
      choice: this.#choice,
      unreachable: this.#unreachable,
      linkTo: (entry) => {
        const endpoint = this.#endpointOf(entry)
        return this.#linkAsClient(endpoint, entry.linkKey, this.#carriage.pathsTo(endpoint, entry.linkKey))
      },
      way: () => ({
        setting: this.#init.carriage.setting,
        byBridges: this.#init.carriage.bridges.length > 0,
        bridgeFault: this.#ports?.bridgeFault,
      }),
      ...routeKind(name, () => this.#profile),
      onChange: () => {
        this.#setAlarms()
        if (name !== undefined) this.#tellRoute()
      },
      ...(name === undefined
        ? {}
        : {
            onMoved: () => this.#waysIn.onMoved(name, routes),
            onEvent: (event) => this.#parts.onRouteEvent({ ...this.#routes.useOf(name), ...event }),
          }),
    })
    return routes
  }

  #state(): VpnStatus['state'] {
    if (!this.#waysIn.isUp) return 'off'
    return this.#routes.default?.state ?? 'connecting'
  }

  #route(): RouteLegs {
    const legs = this.#routes.default?.legs() ?? []
    const used = legs.find(({ state }) => state === 'active')
    return { legs, rttMs: used?.rttMs, throughput: this.#meter.rate }
  }

  #tellRoute(): void {
    if (this.#cancelRouteEvent !== undefined || this.#closed) return
    this.#cancelRouteEvent = this.#parts.clock.after(ROUTE_EVENT_MS, () => {
      this.#cancelRouteEvent = undefined
      this.#parts.onRoute({ state: this.#state(), route: this.#route(), fault: this.#routes.default?.fault })
    })
  }
}
