import {
  type Clock,
  Emitter,
  type Fault,
  type Logger,
  type Scope,
  WeftError,
  isWeftError,
  messageOf,
  systemRandom,
  toWeftError,
  withTimeout,
  orAborted,
} from '@weft/core'
import type { Bridge } from '@weft/bridge'
import { type DidKey, type X25519KeyPair, toDidKey, wipe } from '@weft/crypto'
import { ReceiptAnswer } from '@weft/onion'
import {
  type ConformanceProbe,
  LOAD_WORDS,
  type LoadStep,
  type Loads,
  type LossGauge,
  type Overlay,
  type Rpc,
  createPlainCertificate,
  isAway,
  parsePacketAddress,
  unreachablePackets,
} from '@weft/overlay'
import type { CarriageSetting } from '../carriage/carriage-choice.ts'
import type { MachineWays } from '../engine/engine-init.ts'
import { type PendingWays, type RunningWays, pendingWays, waysAfterUp } from '../profile/running-ways.ts'
import type { RouteProfile } from '../profile/route-profile.ts'
import { LoadGauge } from '../load/load-gauge.ts'
import type { RouteMember } from '../route/route-member.ts'
import { type MemberAddresses, memberAddresses } from '../route/member-addresses.ts'
import { outsideAddresses } from '../route/outside-addresses.ts'
import { routeMembers } from '../route/route-members.ts'
import { KillSwitch, type KillSwitchStatus } from '../kill-switch/kill-switch.ts'
import { watchKillSwitch } from '../kill-switch/watch-kill-switch.ts'
import type { OutsideAddress } from '../tun/machine-rules-text.ts'
import { isInUse, leftRules, removeLeftRules } from '../tun/machine-rules.ts'
import { openReceiptStores, type ReceiptStores, type ReceiptStoresInit } from '../receipts/receipt-stores.ts'
import { Receipts } from '../receipts/receipts.ts'
import { RpcIssuer } from '../receipts/rpc-issuer.ts'
import type {
  ChoiceQuestion,
  ExitStatus,
  RouteChoices,
  RouteVerification,
  ThreadStatus,
  Throughput,
  Vpn,
  VpnEvents,
  VpnStatus,
} from '../vpn.ts'
import { exitUses } from './exit-uses.ts'
import { GuardsFile } from './guards-file.ts'
import { KillSwitchKeeper, type KillSwitchKeeperInit } from './kill-switch-keeper.ts'
import { PacketThreads, type ThreadsInit } from './packet-threads.ts'
import { type ServiceWays, serviceWays } from './service-ways.ts'
import { OF_TUNNEL, cannotOpen, leftShut, tunTrouble } from './tun-trouble.ts'

export interface VpnInit extends Omit<ThreadsInit, 'carriage' | 'receipts'> {
  /** Threads that carry packets for others. */
  readonly workers: number
  /** What a client's packets to its entry travel in. */
  readonly carriage: CarriageSetting
  /** By which alone a client calls, its entries included; by default it calls by itself. */
  readonly bridges?: readonly Bridge[]
  /** Where the entries of its routes are kept; nowhere in networks that live as long as this process. */
  readonly guardsFile?: string
  /** Of pay for circuits, where it is on. */
  readonly receiptStores?: ReceiptStoresInit
  /** Addresses of nodes that the network file names. */
  readonly bootstrap: readonly string[]
  /** Whose daemon this is to the machine's kill switch, and where it keeps what that has to know; without it nothing is asked of the switch. */
  readonly killSwitch?: Pick<KillSwitchKeeperInit, 'home' | 'nodesFile'> &
    Partial<Pick<KillSwitchKeeperInit, 'killSwitch' | 'watch'>>
  readonly clock: Clock
  readonly logger: Logger
  /** The VPN closes with it. */
  readonly scope: Scope
}

/** ms before a packet thread that died is started again; doubled each time, up to the last. */
const RESTART_FIRST_MS = 1_000
const RESTART_MOST_MS = 60_000
/** A thread that ran for so long has earned a quick restart again, ms. */
const STABLE_MS = 60_000

/** ms that the packet thread may take to answer for itself; it needs far less than one. */
const STATUS_MS = 2_000
/** The same where hops are asked, which have 3 s to answer, ms. */
const VERIFY_MS = 5_000

const NOTHING: Throughput = { sentBytesPerSecond: 0, receivedBytesPerSecond: 0, sentBytes: 0, receivedBytes: 0 }

/**
 * The VPN of this node. One that carries packets for others starts its packet thread, and so its UDP port, at once; a
 * client when the proxy is first wanted.
 * @throws WeftError E_PORT_TAKEN, E_EXIT_RULE
 */
export async function createVpn(init: VpnInit): Promise<VpnService> {
  const stores =
    init.receiptStores && (await openReceiptStores(init.receiptStores, init.keys !== undefined, init.scope))
  const service = new VpnService(init, await settleLeft(init), stores)
  init.scope.use('vpn', service)
  await service.keepSwitch()
  if (init.keys !== undefined) await service.open()
  return service
}

/**
 * A daemon that was killed left its rules, by which nothing leaves the machine any more. Whoever led it through a tunnel wants that still: they stay until another
 * tunnel takes their place, or somebody opens the machine.
 * @returns whether they stand
 */
async function settleLeft({ tun, logger }: VpnInit): Promise<boolean> {
  if (isInUse()) return false
  try {
    const left = await leftRules(tun.stateFile)
    const areLeft = left === 'standing' || (left === 'unknown' && tun.isWanted)
    if (areLeft) logger.warn('nothing leaves this machine by rules of a daemon that was killed; weft vpn down opens it')
    else await removeLeftRules(tun.stateFile)
    return areLeft
  } catch (error) {
    logger.warn('rules for the tunnel are left of a daemon that was killed', { reason: messageOf(error) })
    return false
  }
}

/** The main thread's side of the VPN: keeps the packet thread, tells it the members, and answers for it. */
export class VpnService implements Vpn {
  readonly #init: VpnInit
  #threadsInit: ThreadsInit
  readonly #emitter = new Emitter<VpnEvents>()
  #thread: Promise<PacketThreads> | undefined
  /** Monotonic ms: since when the thread runs; undefined while it does not. */
  #startedAt: number | undefined
  readonly #guards: GuardsFile | undefined
  #members: readonly RouteMember[] = []
  #unreachable: ReadonlySet<DidKey> = new Set()
  #outside: readonly OutsideAddress[] = []
  #loads: ReadonlyMap<DidKey, LoadStep> = new Map()
  #loadsOf: Loads | undefined
  /** Ends what keeps this node up to date on loads. */
  #endLoads: (() => void) | undefined
  /** Of a node that carries packets for others. */
  #gauge = new LoadGauge()
  #addresses: readonly MemberAddresses[] = []
  /** As the profile in use has it; and with what the VPN was put up, while it is. */
  #ways: MachineWays
  #running: RunningWays | undefined
  #wanted = false
  #tun: boolean | undefined
  #fault: Fault | undefined
  /** Why this exit carries no IP packets, which it is to; what ended that stays so until the next start. */
  #exitFault: Fault | undefined
  /** Why the routes are blocked, by the last that was heard of them. */
  #blocked: Fault | undefined
  /** Why the machine is not led through the tunnel that it was to have; and whether rules that were left let nothing out. */
  #tunFault: Fault | undefined
  #isShut: boolean
  #restartMs = RESTART_FIRST_MS
  #cancelRestart: (() => void) | undefined
  #unfollow: (() => void) | undefined
  #closed = false
  readonly #keeper: KillSwitchKeeper | undefined
  readonly #receiptStores: ReceiptStores | undefined
  /** Once there is a network. */
  #receipts: Receipts | undefined
  /** Tokens that the packet thread asked for. */
  #wantedTokens = 0

  /**
   * @param isShut whether rules that a daemon left let nothing out
   * @param stores of pay for circuits, where it is on
   */
  constructor(init: VpnInit, isShut = false, stores?: ReceiptStores) {
    this.#isShut = isShut
    this.#receiptStores = stores
    if (isShut) {
      this.#tun = true
      this.#tunFault = leftShut()
    }
    const { networkId, nodeKey, roles, keys, profile, suite, udp, proxy, dns, tun, relay, exit } = init
    const { killSwitch, clock, logger } = init
    this.#init = init
    this.#guards = init.guardsFile === undefined ? undefined : new GuardsFile(init.guardsFile, init.logger)
    this.#ways = { dns, tun }
    const uid = process.getuid?.() ?? 0
    if (killSwitch !== undefined)
      this.#keeper = new KillSwitchKeeper({
        killSwitch: new KillSwitch(),
        watch: watchKillSwitch,
        onRestored: (restored) => this.#emitter.emit('killSwitch', restored),
        ...killSwitch,
        uid,
        clock,
        logger,
      })
    const identity = roles.entry ? createPlainCertificate() : undefined
    const carriage = { setting: init.carriage, identity, bridges: init.bridges ?? [] }
    this.#threadsInit = {
      networkId,
      nodeKey,
      roles,
      keys,
      ...(profile === undefined ? {} : { profile }),
      suite,
      udp,
      carriage,
      proxy,
      dns,
      tun,
      ...(stores === undefined ? {} : { receipts: true }),
      relay,
      exit,
    }
  }

  /** What a validator asks of every entry, relay and exit: whoever answers at its packet addresses has its link key. */
  get probe(): ConformanceProbe {
    return {
      role: 'packets',
      name: 'link-handshake',
      run: async (_, { id, packets, roles }) => {
        const thread = await this.open()
        for (const text of packets?.addresses ?? []) {
          const address = parsePacketAddress(text)
          if (packets === undefined || address === undefined) continue
          const target = { endpoint: { address: address.host, port: address.port }, linkKey: packets.linkKey }
          // A validator that carries packets itself is no stranger to itself: its own port answers nobody's dial but others'.
          if (id === toDidKey(this.#init.nodeKey)) continue
          try {
            await thread.probe(target)
          } catch {
            throw unreachablePackets(text)
          }
          if (!roles.includes('entry')) continue
          try {
            await thread.probe({ ...target, over: 'tls' })
          } catch {
            throw unreachablePackets(text, 'TCP')
          }
        }
      },
    }
  }

  /** How a validator measures what is lost of packets to another node. */
  get loss(): LossGauge {
    return async ({ addresses, linkKey }, signal) => {
      const thread = await orAborted(this.open(), signal)
      const [text = ''] = addresses
      const address = parsePacketAddress(text)
      if (address === undefined) throw unreachablePackets(text)
      const endpoint = { address: address.host, port: address.port }
      const measured = thread.measureLoss({ endpoint, linkKey }).catch(() => {
        throw unreachablePackets(text)
      })
      return orAborted(measured, signal)
    }
  }

  /**
   * What is wrong: the packet thread died, the proxy is up and no route can be built, the exit carries no IP packets and is to, or the machine
   * is not led through the tunnel that vpn.tun, or the profile, asks for, or that a daemon before this one led it through, its kill switch is damaged, or the pay for circuits
   * goes nowhere; undefined when nothing is.
   */
  get fault(): Fault | undefined {
    const tunFault = this.#ways.tun.isWanted || this.#isShut ? this.#tunFault : undefined
    const ofReceipts = this.#receipts?.status(undefined).fault
    return this.#keeper?.fault ?? this.#fault ?? this.#whyBlocked ?? this.#exitFault ?? tunFault ?? ofReceipts
  }

  /** The switch that holds this daemon's packets back stands before what came of that. */
  get #whyBlocked(): Fault | undefined {
    return this.#blocked && (this.#keeper?.cause ?? this.#blocked)
  }

  /** Puts the kill switch on again where it is to be on, and looks after it. */
  async keepSwitch(): Promise<void> {
    await this.#keeper?.start()
  }

  /** Takes the members of the signed map from now on, and which of them the overlay reaches. */
  follow(overlay: Pick<Overlay, 'membership' | 'peers' | 'on' | 'loads' | 'rpc'>): void {
    const { membership } = overlay
    this.#beginReceipts(overlay.rpc)
    const takeMembers = (): void => {
      this.#members = routeMembers(membership.members())
      this.#addresses = memberAddresses(membership.members(), toDidKey(this.#init.nodeKey))
      const { bootstrap, bridges = [] } = this.#init
      this.#outside =
        bridges.length === 0
          ? outsideAddresses(membership.members(), bootstrap)
          : bridges.map(({ endpoint }) => endpoint)
      this.#keeper?.setNodes(this.#outside)
      this.#tell((thread) => {
        thread.setMembers(this.#members)
        thread.setOutside(this.#outside)
        thread.setAddresses(this.#addresses)
      })
    }
    const takeReach = (): void => {
      this.#unreachable = new Set(overlay.peers().flatMap((peer) => (isAway(peer) ? [peer.id] : [])))
      this.#tell((thread) => thread.setUnreachable(this.#unreachable))
    }
    const { loads } = overlay
    const takeLoads = (): void => {
      this.#loads = new Map([...loads.all()].map(([id, { step }]) => [id, step]))
      this.#tell((thread) => thread.setLoads(this.#loads))
    }
    const stops = [membership.onChange(takeMembers), overlay.on('peer', takeReach), loads.onChange(takeLoads)]
    if (this.#init.keys !== undefined) stops.push(loads.publish(() => this.#ownStep()))
    this.#loadsOf = loads
    if (this.#startedAt !== undefined) this.#endLoads ??= loads.follow()
    this.#unfollow = () => stops.forEach((stop) => stop())
    takeMembers()
    takeReach()
    takeLoads()
  }

  #beginReceipts(rpc: Rpc): void {
    if (this.#receiptStores === undefined) return
    const { networkId, clock, logger, scope } = this.#init
    const { issuers, own, redeemMs, wallet, books } = this.#receiptStores
    this.#receipts = new Receipts({
      networkId,
      issuers: issuers.map((id) => (id === own?.id ? own : new RpcIssuer(id, rpc))),
      wallet,
      books,
      redeemMs,
      clock,
      random: systemRandom,
      logger,
      scope,
    })
    this.#receipts.start(
      (keys) => this.#tell((thread) => thread.setReceiptKeys(keys)),
      () => this.#fillPurse(),
    )
  }

  /** What a packet thread wanted, and there was too little of. */
  #fillPurse(): void {
    const count = this.#wantedTokens
    if (count === 0 || this.#receipts === undefined) return
    const tokens = this.#receipts.takeTokens(count)
    if (tokens.length === 0) return
    this.#wantedTokens = 0
    this.#tell((thread) => {
      thread.fillPurse(tokens)
      for (const { seed } of tokens) wipe(seed)
    })
  }

  /** What circuits are made against from now on, newest first; of a node that carries packets. */
  setOnionKeys(onion: readonly X25519KeyPair[]): void {
    const { keys } = this.#threadsInit
    if (keys === undefined) return
    this.#threadsInit = { ...this.#threadsInit, keys: { ...keys, onion } }
    this.#tell((thread) => thread.setOnionKeys(onion))
  }

  /**
   * Takes another profile, or one that was changed. Routes follow at once; DNS and the tunnel with the next `up`, as {@link pending} says.
   */
  setProfile(route: RouteProfile, ways: MachineWays): void {
    this.#ways = ways
    this.#threadsInit = { ...this.#threadsInit, profile: route }
    this.#tell((thread) => thread.setProfile(route))
  }

  /** What the profile says and the VPN, which is up, does not do yet. */
  get pending(): PendingWays {
    return pendingWays(this.#running, this.#ways, this.#tun ?? this.#ways.tun.isWanted)
  }

  /** Starts the packet thread if it does not run. @throws WeftError E_PORT_TAKEN, E_EXIT_RULE, E_PACKETS_FAILED */
  open(): Promise<PacketThreads> {
    this.#thread ??= this.#start()
    return this.#thread
  }

  /** Routes of their own to services of members; the packet thread is started for them where it does not run. */
  serviceWays(): ServiceWays {
    return serviceWays(() => this.open())
  }

  async up(tun = this.#tun): Promise<void> {
    const wasWanted = this.#wanted
    this.#wanted = true
    const ways = this.#ways
    try {
      const thread = await this.open()
      await thread.up(tun, ways)
    } catch (error) {
      this.#wanted = wasWanted
      await this.#onTunFailed(error)
      throw error
    }
    this.#tun = tun
    this.#running = waysAfterUp(this.#running, ways, tun ?? ways.tun.isWanted)
    // Without the tunnel rules that were left stay.
    if (this.#isShut && !(tun ?? ways.tun.isWanted)) return
    this.#isShut = false
    this.#tunFault = undefined
  }

  /** Also opens a machine that rules keep shut. @throws WeftError E_TUN_LEFT */
  async down(): Promise<void> {
    this.#wanted = false
    this.#tun = undefined
    this.#running = undefined
    const thread = await this.#thread?.catch(() => undefined)
    await thread?.down()
    if (!isInUse()) await this.#openMachine()
    this.#isShut = false
    this.#tunFault = undefined
  }

  /** Takes away rules that a daemon left which was killed. */
  async #openMachine(): Promise<void> {
    const { stateFile } = this.#init.tun
    try {
      await removeLeftRules(stateFile)
    } catch (error) {
      // Without the rights to take any away there may be none, as after a start of the machine.
      if ((await leftRules(stateFile)) !== 'none') throw cannotOpen(messageOf(error))
    }
  }

  async status(): Promise<VpnStatus> {
    const [ofThread, killSwitch] = await Promise.all([this.#statusOfThread(), this.#keeper?.status()])
    const { purse, ...known } = ofThread
    const receipts = this.#receipts?.status(purse)
    const paid = receipts === undefined ? {} : { receipts }
    const status = { ...known, ...paid, killSwitch, ...this.#bySwitch(known, killSwitch) }
    if (status.tun !== undefined || this.#tunFault === undefined) return status
    return { ...status, tun: tunTrouble(this.#tunFault, this.#isShut) }
  }

  /** Where routes are wanted, none is there, and the switch is the cause, that stands before what came of it. */
  #bySwitch(
    { state }: Pick<VpnStatus, 'state'>,
    killSwitch: KillSwitchStatus | undefined,
  ): { readonly state?: 'blocked'; readonly fault?: Fault } {
    if (state === 'off' || state === 'connected' || killSwitch === undefined) return {}
    const fault = this.#keeper?.blocksDaemon(killSwitch)
    return fault === undefined ? {} : { state: 'blocked', fault }
  }

  async #onTunFailed(error: unknown): Promise<void> {
    if (!isWeftError(error) || !OF_TUNNEL.has(error.code)) return
    const { code, cause, fix } = error
    this.#tunFault = { code, cause, fix }
    this.#isShut = !isInUse() && (await leftRules(this.#init.tun.stateFile)) !== 'none'
  }

  async #statusOfThread(): Promise<ThreadStatus> {
    const thread = await this.#thread?.catch(() => undefined)
    if (thread === undefined) return withoutThread(this.#fault, this.#init.carriage)
    try {
      return await withTimeout(
        this.#init.clock,
        STATUS_MS,
        undefined,
        () => threadSilent(STATUS_MS),
        () => this.#statusOf(thread),
      )
    } catch (error) {
      return withoutThread(faultOf(error), this.#init.carriage)
    }
  }

  async exits(): Promise<readonly ExitStatus[]> {
    const status = await this.status()
    return this.#members
      .filter(({ roles }) => roles.includes('exit'))
      .map(({ id, country, region, family, simulated }) => ({
        node: id,
        country,
        region,
        family,
        simulated,
        used: exitUses(id, status).length > 0,
        uses: exitUses(id, status),
        load: wordOf(this.#loads.get(id)),
        reason: this.#whyNot(id),
      }))
  }

  async verify(): Promise<RouteVerification> {
    const { clock } = this.#init
    const thread = await this.#thread?.catch(() => undefined)
    if (thread === undefined) return { at: clock.now(), legs: [] }
    return withTimeout(
      clock,
      VERIFY_MS,
      undefined,
      () => threadSilent(VERIFY_MS),
      () => thread.verify(),
    )
  }

  async choices(question: ChoiceQuestion): Promise<RouteChoices> {
    const { clock } = this.#init
    const thread = await this.#thread?.catch(() => undefined)
    if (thread === undefined) return { at: clock.now(), legs: [], guards: [] }
    const silent = (): WeftError => threadSilent(STATUS_MS)
    return withTimeout(clock, STATUS_MS, undefined, silent, () => thread.choices(question))
  }

  async #statusOf(thread: PacketThreads): Promise<ThreadStatus> {
    const status = await thread.status()
    this.#exitFault = status.carried?.exitIp?.fault
    return status
  }

  /** Nothing is said of a node whose packet thread does not run: it takes no packets. */
  #ownStep(): LoadStep | undefined {
    return this.#startedAt === undefined ? undefined : this.#gauge.decide(this.#init.clock.monotonic())
  }

  /** Also one that is being opened, once it is. */
  #tell(what: (thread: PacketThreads) => void): void {
    void this.#thread?.then(what, () => {})
  }

  #whyNot(id: DidKey): string {
    if (id === toDidKey(this.#init.nodeKey)) return 'this node itself'
    return this.#unreachable.has(id) ? 'cannot be reached at the moment' : ''
  }

  on<K extends keyof VpnEvents>(name: K, listener: (event: VpnEvents[K]) => void): () => void {
    return this.#emitter.on(name, listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#unfollow?.()
    this.#endLoads?.()
    this.#keeper?.close()
    this.#cancelRestart?.()
    const thread = await this.#thread?.catch(() => undefined)
    await thread?.[Symbol.asyncDispose]()
  }

  async #start(): Promise<PacketThreads> {
    const { clock, logger } = this.#init
    try {
      const thread = await PacketThreads.open(
        { ...this.#threadsInit, guards: this.#guards?.state },
        this.#init.workers,
        clock,
        logger,
        {
          onRoute: (event) => {
            this.#blocked = event.state === 'blocked' ? event.fault : undefined
            this.#emitter.emit('route', event.state === 'blocked' ? { ...event, fault: this.#whyBlocked } : event)
          },
          onRouteEvent: (event) => this.#emitter.emit('routeEvent', event),
          onThroughput: (event) => this.#emitter.emit('throughput', event),
          onGuards: (state) => this.#guards?.keep(state),
          onPayment: async (payment) => this.#receipts?.keep(payment) ?? ReceiptAnswer.noRoom,
          onWantTokens: (count) => {
            this.#wantedTokens = count
            this.#fillPurse()
          },
          onTokensLeft: (tokens) => this.#receipts?.putBack(tokens),
          onUse: (use) => this.#gauge.add(use, clock.monotonic()),
          onLost: (error) => this.#onLost(error),
        },
      )
      this.#startedAt = clock.monotonic()
      this.#fault = undefined
      thread.setMembers(this.#members)
      thread.setUnreachable(this.#unreachable)
      thread.setLoads(this.#loads)
      this.#endLoads ??= this.#loadsOf?.follow()
      thread.setOutside(this.#outside)
      thread.setAddresses(this.#addresses)
      if (this.#receipts !== undefined) thread.setReceiptKeys(this.#receipts.keys)
      // One that ends meanwhile is heard of as any other (#onLost).
      if (this.#init.exit.ip) await this.#statusOf(thread).catch(() => {})
      return thread
    } catch (error) {
      this.#thread = undefined
      throw error
    }
  }

  #onLost(error: WeftError): void {
    const { clock, logger } = this.#init
    this.#endLoads?.()
    this.#endLoads = undefined
    this.#gauge = new LoadGauge()
    this.#thread = undefined
    this.#running = undefined
    this.#blocked = undefined
    this.#exitFault = undefined
    this.#fault = faultOf(error)
    const ranMs = this.#startedAt === undefined ? 0 : clock.monotonic() - this.#startedAt
    this.#startedAt = undefined
    if (this.#closed) return
    if (ranMs > STABLE_MS) this.#restartMs = RESTART_FIRST_MS
    logger.error('the packet thread ended; it is started again', { cause: error.cause, afterMs: this.#restartMs })
    this.#cancelRestart?.()
    this.#cancelRestart = clock.after(this.#restartMs, () => {
      this.#cancelRestart = undefined
      void this.#restart()
    })
    this.#restartMs = Math.min(RESTART_MOST_MS, 2 * this.#restartMs)
  }

  async #restart(): Promise<void> {
    try {
      await (this.#wanted ? this.up() : this.open())
    } catch (error) {
      // A thread that was lost once it was open has been heard of already.
      if (this.#closed || this.#cancelRestart !== undefined) return
      // It may run although the proxy did not start, and would keep its port from the next one.
      const thread = await this.#thread?.catch(() => undefined)
      await thread?.[Symbol.asyncDispose]()
      this.#onLost(asThreadFault(error))
    }
  }
}

function wordOf(step: LoadStep | undefined): ExitStatus['load'] {
  return step === undefined ? 'unknown' : LOAD_WORDS[step]
}

/** What is known without the packet thread's own word. */
function withoutThread(fault: Fault | undefined, setting: CarriageSetting): ThreadStatus {
  return {
    state: fault === undefined ? 'off' : 'blocked',
    fault,
    proxy: undefined,
    dns: undefined,
    tun: undefined,
    killSwitch: undefined,
    streams: { open: 0, opened: 0, failed: 0 },
    failures: [],
    route: { legs: [], rttMs: undefined, throughput: NOTHING, events: [] },
    others: [],
    services: { routes: 0, streams: 0, sentBytes: 0, receivedBytes: 0 },
    carriage: { over: setting === 'tls' ? 'tls' : 'udp', setting, reason: '', since: undefined },
    carried: undefined,
  }
}

function threadSilent(ms: number): WeftError {
  return new WeftError({
    code: 'E_PACKETS_FAILED',
    cause: `The thread that carries packets did not answer within ${ms / 1_000} s.`,
    fix: 'Restart the daemon (weft stop, weft start); the log tells more.',
  })
}

function asThreadFault(error: unknown): WeftError {
  return toWeftError(error, {
    code: 'E_PACKETS_FAILED',
    cause: 'The thread that carries packets could not be started again.',
    fix: 'Restart the daemon (weft stop, weft start); the log tells more.',
  })
}

function faultOf(error: unknown): Fault {
  const { code, cause, fix } = asThreadFault(error)
  return { code, cause, fix }
}
