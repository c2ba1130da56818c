import type { Clock, Fault, Random } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import {
  type CircuitLink,
  type ClientCircuits,
  Session,
  SessionCode,
  type SessionLeg,
  type SessionStream,
  type StreamTarget,
  type Tier,
} from '@weft/onion'
import type { RouteMember } from '../route/route-member.ts'
import type { LegState, LegStatus, LegVerification } from '../vpn.ts'
import type { FlushQueue } from './flush-queue.ts'
import { exitLostFault } from './exit-lost-fault.ts'
import { ExitWitnesses } from './exit-witnesses.ts'
import { type HopChange, Leg } from './leg.ts'
import type { ToldEvent } from './route-log.ts'
import { hopBack, hopDegraded, legBack, legLost, legReady, legReplaced, legSilent, legsMoved } from './route-words.ts'
import { SessionDriver } from './session-driver.ts'
import { sharedFault } from './shared-legs.ts'

/** What legs that carry are told as: those of the path set in use, and of others. */
type CarryingState = Extract<LegState, 'active' | 'spare'>

/** How many legs a path set has: those that carry, and those that stand ready beside them. */
export interface LegNumbers {
  readonly used: number
  readonly reserve: number
}

const ONE_LEG: LegNumbers = { used: 1, reserve: 0 }

/**
 * By whom a path set was lost, and why: of the leg that ended last; of the first one, and of the exit as culprit, where that closed the session or relays of two
 * legs agree that it is gone.
 */
export interface PathSetLoss extends Pick<Leg, 'culprit' | 'hops' | 'isRefused' | 'entryAnswered' | 'wasReady'> {
  readonly fault: Fault
  /** The exit itself said that it is over, which no hop before it can say in its place. */
  readonly isByExit?: boolean
  /** Relays of two legs agree that the exit is gone: no one way to it is to blame. */
  readonly isAgreed?: boolean
}

/** The same of one of its legs, which may have ended without a fault. */
export type LostLeg = Omit<PathSetLoss, 'fault'> & Partial<Pick<Leg, 'fault'>>

/** What a path set tells its owner. */
export interface PathSetEvents {
  onReady?(set: PathSet): void
  /** None of its legs is fit for new streams at the moment. */
  onSuspect?(set: PathSet): void
  onLegReady?(leg: Leg): void
  /** @param loss as it is to be laid to somebody */
  onLegEnd?(leg: Leg, loss: LostLeg): void
  /** What carries has changed: which legs, or whether. */
  onChange?(set: PathSet): void
  /** One of its nodes is red, or the link before it, while another leg is well. */
  onRed?(node: RouteMember): void
  onEvent?(event: ToldEvent): void
  onEnd?(set: PathSet): void
}

export interface PathSetInit extends PathSetEvents {
  /** Of the first leg; the last of them is the exit of all. */
  readonly hops: readonly RouteMember[]
  /** One by default. */
  readonly legs?: LegNumbers
  readonly circuits: ClientCircuits
  /** Of all legs; off by default. */
  readonly tier?: Tier
  readonly queue: FlushQueue
  readonly clock: Clock
  readonly random: Random
  /** @throws WeftError E_LINK_KEY, E_LINK_LIMIT, E_LINKS_CLOSED */
  readonly linkTo: (entry: RouteMember) => CircuitLink
  /** Hops of one more leg to the same exit over none of these nodes; undefined where there are none. */
  readonly moreHops: (set: PathSet) => readonly RouteMember[] | undefined
}

/** ms in which traffic is led away once from delay that was added: traffic brings delay along. */
const DELAY_MOVES_MS = 60_000
/** ms in which one leg that is not well is replaced. */
const REPLACES_MS = 60_000
/** ms between looks whether legs need to share a node any more. */
const SEEKS_MS = 5_000

/**
 * A session with one exit, over several circuits that have nothing but that exit in common: connections outlive each of them. While one is
 * missing another one is built; what a silent one carried goes over the others.
 */
export class PathSet {
  readonly #init: PathSetInit
  readonly #numbers: LegNumbers
  /** In the order in which they got ready; those that are being built stand last. */
  #legs: Leg[] = []
  readonly #sessionLegs = new Map<Leg, SessionLeg>()
  readonly #streams = new Set<SessionStream>()
  #session: Session | undefined
  #driver: SessionDriver | undefined
  #isOver = false
  #isOutdated = false
  #loss: PathSetLoss | undefined
  /** The leg that it began with, and the one that ended last. */
  readonly #first: Leg
  #last: Leg | undefined
  /** Those that carry, as it was told last. */
  #carrying: readonly Leg[] = []
  /** Is not well, and ends when the one that is being built for it is ready. */
  #leaving: Leg | undefined
  /** It leaves as it shares a node. */
  #isParting = false
  readonly #witnesses = new ExitWitnesses()
  readonly #retired = new WeakSet<Leg>()
  /** Monotonic ms. */
  #movedFromDelayAt: number | undefined
  #replacedAt: number | undefined
  /** Monotonic ms: when nodes were looked for last with which legs would share none. */
  #soughtAt: number | undefined

  constructor(init: PathSetInit) {
    this.#init = init
    this.#numbers = init.legs ?? ONE_LEG
    this.#first = this.#makeLeg(init.hops, init.linkTo(init.hops[0] as RouteMember))
    this.#legs.push(this.#first)
  }

  /** Begins to build it; it may be over at once, when a hop's key is none. */
  start(): void {
    this.#first.start()
  }

  get exit(): RouteMember | undefined {
    return this.#init.hops.at(-1)
  }

  get entries(): readonly RouteMember[] {
    return this.#legs.flatMap(({ hops: [entry] }) => entry ?? [])
  }

  get ready(): boolean {
    return this.#session?.state === 'open'
  }

  get over(): boolean {
    return this.#isOver
  }

  /** It was made for what is not asked of routes any more: no new stream takes it, even where there is no other. */
  get outdated(): boolean {
    return this.#isOutdated
  }

  /** Fit for new streams, or about to be. */
  get promising(): boolean {
    return this.#legs.some(({ promising }) => promising)
  }

  /** Fit for new streams. */
  get healthy(): boolean {
    return this.ready && this.#legs.some((leg) => leg.healthy && this.#sessionLegs.has(leg))
  }

  /** Ready for so long that building it was no failure. */
  get stood(): boolean {
    return this.#first.stood
  }

  /** Once it is over; undefined where it was ended by who made it. */
  get loss(): PathSetLoss | undefined {
    return this.#loss
  }

  /** ms there and back to the exit over the shortest of its legs, by what its hops answered of late; undefined while that is not known. */
  get latencyMs(): number | undefined {
    const known = this.#legs.flatMap((leg) => leg.latencyMs ?? [])
    return known.length === 0 ? undefined : Math.min(...known)
  }

  /** There and back to the exit by the session's own measure, over the longest of the legs that carry, ms; undefined until measured. */
  get roundTrip(): { readonly clientMs: number; readonly variationMs: number } | undefined {
    const [longest] = [...this.#sessionLegs.values()]
      .flatMap(({ use, recovery: { rtt } }) => (use === 'used' && rtt.hasSample ? [rtt] : []))
      .toSorted((a, b) => b.smoothed - a.smoothed)
    return longest && { clientMs: longest.smoothed, variationMs: longest.variation }
  }

  /** Of each leg, from its entry on. */
  get hops(): readonly (readonly RouteMember[])[] {
    return this.#legs.map(({ hops }) => hops)
  }

  get streams(): number {
    return this.#streams.size
  }

  /** Bytes of its streams that went each way, as who sent and received them counts; none goes back when it ends. */
  get bytes(): { readonly sent: number; readonly received: number } {
    const stats = this.#session?.stats
    return { sent: stats?.dataSent ?? 0, received: stats?.dataReceived ?? 0 }
  }

  /** Opens a stream; undefined when it is not ready, or ends. @throws WeftError E_TARGET_INVALID, E_SESSION_STREAMS */
  openStream(target: StreamTarget): SessionStream | undefined {
    const session = this.#session
    if (session?.state !== 'open') return undefined
    const stream = session.openStream(target)
    this.#streams.add(stream)
    this.wake()
    return stream
  }

  forget(stream: SessionStream): void {
    this.#streams.delete(stream)
  }

  /** To be called after anything was written to a stream. */
  wake(): void {
    this.#driver?.wake()
    for (const [leg, { use }] of this.#sessionLegs) if (use === 'used') leg.expectAnswer()
  }

  /** As {@link Leg.verify}, of each leg that is ready. */
  async verify(state: CarryingState): Promise<Omit<LegVerification, 'use' | 'number'>[]> {
    const isUsed = (leg: Leg): boolean => this.#sessionLegs.get(leg)?.use === 'used'
    const legs = this.#legs.toSorted((a, b) => Number(isUsed(b)) - Number(isUsed(a)))
    const all = await Promise.all(legs.map((leg) => leg.verify(isUsed(leg) ? state : 'spare')))
    return all.flatMap((each) => each ?? [])
  }

  /** Of its legs, those that carry first, the nodes as they were handed over. @param state of these, if they are well */
  chosen(state: CarryingState): { readonly state: LegState; readonly hops: readonly RouteMember[] }[] {
    return this.#legs
      .map((leg) => {
        const isUsed = this.#sessionLegs.get(leg)?.use === 'used'
        return { isUsed, hops: leg.hops, state: leg.status(isUsed ? state : 'spare', 0, undefined).state }
      })
      .toSorted((a, b) => Number(b.isUsed) - Number(a.isUsed))
      .map(({ state: of, hops }) => ({ state: of, hops }))
  }

  /** Of its legs, those that carry first; these say so where they share a node. @param state of these, if they are well */
  status(state: CarryingState): LegStatus[] {
    const carrying = this.#legs.filter((leg) => this.#sessionLegs.get(leg)?.use === 'used')
    return this.#legs
      .map((leg) => {
        const rtt = this.#sessionLegs.get(leg)?.recovery.rtt
        const isUsed = carrying.includes(leg)
        const rttMs = rtt?.hasSample === true ? rtt.smoothed : undefined
        const status = leg.status(isUsed ? state : 'spare', isUsed ? this.#streams.size : 0, rttMs)
        const others = carrying.flatMap((other) => (other === leg ? [] : [other.hops]))
        const fault = status.fault ?? (isUsed ? sharedFault(leg.hops, others) : undefined)
        return { isUsed, status: { ...status, fault } }
      })
      .sort((a, b) => Number(b.isUsed) - Number(a.isUsed))
      .map(({ status }) => status)
  }

  /** Tells which members the overlay cannot reach. */
  onUnreachable(unreachable: ReadonlySet<DidKey>): void {
    for (const leg of this.#legs.slice()) leg.onUnreachable(unreachable)
  }

  /** From now on it is {@link outdated}; streams that run over it go on. */
  outdate(): void {
    this.#isOutdated = true
  }

  destroy(): void {
    this.#end(undefined)
  }

  /** Builds what is missing; to be called when members change, too. */
  keep(): void {
    const { moreHops } = this.#init
    const most = this.#numbers.used + this.#numbers.reserve
    if (this.#isOver || this.#session?.isNamed !== true) return
    // A session takes some more; one that is silent gets a chance to come back while another takes its place.
    const isWanted = (): boolean =>
      this.#legs.filter((leg) => leg.promising && leg !== this.#leaving).length < most && this.#legs.length <= most
    // The one that was built for it did not come about.
    if (this.#legs.every((leg) => leg.ready)) this.#isParting = false
    if (this.#leaving !== undefined && !this.#isToLeave(this.#leaving)) this.#leaving = undefined
    this.#leaving ??= this.#toReplace()
    while (isWanted()) {
      const hops = moreHops(this)
      if (hops === undefined || !this.#begins(hops)) return
    }
    this.#part()
  }

  /** @returns false where it is over at once */
  #begins(hops: readonly RouteMember[]): boolean {
    const [entry] = hops as readonly [RouteMember]
    const leg = this.#makeLeg(hops, this.#init.linkTo(entry))
    this.#legs.push(leg)
    leg.start()
    return !leg.over
  }

  /** Where legs that carry share a node, as nobody else was there for it, one is built in the place of the later one as soon as somebody is. */
  #part(): void {
    const now = this.#init.clock.monotonic()
    const rests = (at: number | undefined, ms: number): boolean => at !== undefined && now - at < ms
    if (this.#leaving !== undefined || rests(this.#soughtAt, SEEKS_MS) || rests(this.#replacedAt, REPLACES_MS)) return
    const shared = this.#legs.findLast((leg) => this.#shares(leg))
    if (shared === undefined || !this.#legs.every((leg) => leg.healthy)) return
    this.#soughtAt = now
    const hops = this.#init.moreHops(this)
    const others = this.#legs.filter((leg) => leg !== shared && this.#carries(leg))
    if (
      hops === undefined ||
      sharedFault(
        hops,
        others.map((leg) => leg.hops),
      ) !== undefined
    )
      return
    this.#leaving = shared
    this.#isParting = true
    this.#begins(hops)
  }

  #carries(leg: Leg): boolean {
    return this.#sessionLegs.get(leg)?.use === 'used'
  }

  /** It carries, and has a node in common with another one that does. */
  #shares(leg: Leg): boolean {
    const others = this.#legs.filter((other) => other !== leg && this.#carries(other)).map(({ hops }) => hops)
    return this.#carries(leg) && sharedFault(leg.hops, others) !== undefined
  }

  /** There is still a reason for which another is to take its place. */
  #isToLeave(leg: Leg): boolean {
    return !leg.over && (leg.trouble > 0 || this.#isParting)
  }

  #makeLeg(hops: readonly RouteMember[], link: CircuitLink): Leg {
    const { circuits, clock, tier = 'off' } = this.#init
    return new Leg({
      link,
      hops,
      circuits,
      tier,
      clock,
      onReady: (leg) => this.#onReady(leg),
      onPacket: (leg, packetNumber, payload) => {
        const sessionLeg = this.#sessionLegs.get(leg)
        if (sessionLeg === undefined) return
        this.#session?.receive(packetNumber, payload, sessionLeg)
        this.#driver?.wake()
      },
      load: (leg) => {
        const sessionLeg = this.#sessionLegs.get(leg)
        return {
          inFlight: sessionLeg?.recovery.inFlight ?? 0,
          streams: sessionLeg?.use === 'used' ? this.#streams.size : 0,
        }
      },
      onSuspect: (leg) => this.#onSuspect(leg),
      onHeard: (now) => this.#witnesses.heard(now),
      onCleared: (leg) => {
        this.#init.onEvent?.(legBack(leg.hops))
        this.#assign()
      },
      onSilentAtExit: () => this.#lookAtExit(),
      onHop: (leg, change) => this.#onHop(leg, change),
      onEnd: (leg) => this.#onLegEnd(leg),
    })
  }

  #onReady(leg: Leg): void {
    // Behind those that are ready already.
    this.#legs = [
      ...this.#legs.filter((other) => other !== leg && other.ready),
      leg,
      ...this.#legs.filter((other) => other !== leg && !other.ready),
    ]
    this.#init.onLegReady?.(leg)
    this.#init.onEvent?.(legReady(leg.hops))
    if (this.#session === undefined) return this.#begin(leg)
    const sessionLeg = this.#session.addLeg('reserve')
    if (sessionLeg === undefined) return leg.destroy()
    this.#carry(leg, sessionLeg)
    this.#retire(leg)
    this.#init.onChange?.(this)
  }

  #begin(leg: Leg): void {
    const { clock, random, queue } = this.#init
    const session = new Session({
      role: 'client',
      clock,
      random,
      payloadLength: leg.payloadLength,
      onWritable: () => this.#driver?.wake(),
      onNamed: () => this.keep(),
      onSilent: () => this.#assign(),
      onHeard: () => this.#assign(),
      onClose: (code) => {
        // What this side closes is over already (#end): whatever else ends a session, code 0 too, is laid to its exit, but that no leg was left.
        if (this.#isOver) return
        if (this.#sessionLegs.size === 0) return this.#end(this.#last && lossOf(this.#last))
        const fault = sessionFault(code, this.exit)
        this.#init.onEvent?.(legLost(fault, this.exit && { node: this.exit, role: 'exit' }))
        const { hops } = this.#init
        const answered = { isRefused: false, entryAnswered: true, wasReady: true, isByExit: true } as const
        this.#end({ fault, culprit: this.exit, hops, ...answered })
      },
    })
    this.#session = session
    this.#driver = new SessionDriver(session, queue, clock)
    if (this.#numbers.used + this.#numbers.reserve > 1) session.name()
    this.#carry(leg, session.first)
    this.#init.onReady?.(this)
  }

  #carry(leg: Leg, sessionLeg: SessionLeg): void {
    this.#sessionLegs.set(leg, sessionLeg)
    this.#driver?.carry(sessionLeg, leg)
    this.#assign()
  }

  /** Has those carry that are to: of the legs that are well the first ones. */
  #assign(): void {
    const session = this.#session
    if (session === undefined || this.#isOver) return
    const fit = this.#legs.filter((leg) => leg.healthy && this.#sessionLegs.get(leg)?.isSilent === false)
    const used = new Set(this.#bestOf(fit))
    // While none is fit they stay what they were: whichever comes back first carries.
    if (used.size > 0)
      for (const [leg, sessionLeg] of this.#sessionLegs) session.use(sessionLeg, used.has(leg) ? 'used' : 'reserve')
    if (used.size > 0) this.#tellMoved([...used])
    this.#driver?.wake()
    this.#init.onChange?.(this)
  }

  /** Those that are to carry: the first ones, but of legs that are as well rather one that shares no node with those before it. */
  #bestOf(fit: readonly Leg[]): readonly Leg[] {
    const best: Leg[] = []
    while (best.length < this.#numbers.used) {
      const left = fit.filter((leg) => !best.includes(leg))
      const [next] = left
      if (next === undefined) break
      const taken = best.map(({ hops }) => hops)
      best.push(left.find((leg) => leg.trouble <= next.trouble && sharedFault(leg.hops, taken) === undefined) ?? next)
    }
    return best
  }

  #tellMoved(carrying: readonly Leg[]): void {
    const left = this.#carrying.find((leg) => !carrying.includes(leg))
    this.#carrying = carrying
    if (left === undefined) return
    const { worst, over, fault } = left
    const why = over
      ? (fault?.cause ?? 'The other leg was ended.')
      : left.trouble > 0
        ? `The ${worst?.role ?? 'hop'} …${shortId(worst?.node.id ?? '')} of the other leg is not well.`
        : left.isSilent
          ? 'Nothing comes back over the other leg.'
          : 'One that was silent is back, or shares no node where the other leg does.'
    const hops = carrying.map((leg) => leg.hops)
    this.#init.onEvent?.(legsMoved(hops, why, worst))
  }

  #onHop(leg: Leg, { hop, was, is, of, reason }: HopChange): void {
    this.#init.onEvent?.(is === 0 ? hopBack(hop) : hopDegraded(hop, reason))
    if (is > was) {
      const isOtherWell = this.#legs.some((other) => other !== leg && other.healthy && other.trouble === 0)
      if (is === 2 && isOtherWell) this.#init.onRed?.(this.#blamedFor(leg, hop.node))
      if (of !== 'delay' || this.#mayMoveFromDelay()) this.#sink()
      this.#assign()
    }
    this.keep()
    this.#init.onChange?.(this)
  }

  /** The exit, to which the other legs lead as well, is not what is wrong with one of them: it is the link to it, of which the hop before is the other end. */
  #blamedFor({ hops }: Leg, node: RouteMember): RouteMember {
    return node === hops.at(-1) ? (hops.at(-2) ?? node) : node
  }

  /** An exit that another leg reaches is not gone because one relay says so. */
  #blameOf(leg: Leg): LostLeg {
    const { culprit, hops, isRefused, entryAnswered, wasReady, fault } = leg
    const isLinkToExit = culprit !== undefined && leg.isCutFromExit && this.healthy
    const blamed = isLinkToExit ? this.#blamedFor(leg, culprit) : culprit
    return { culprit: blamed, hops, isRefused, entryAnswered, wasReady, fault }
  }

  #mayMoveFromDelay(): boolean {
    const now = this.#init.clock.monotonic()
    if (this.#movedFromDelayAt !== undefined && now - this.#movedFromDelayAt < DELAY_MOVES_MS) return false
    this.#movedFromDelayAt = now
    return true
  }

  /** Legs stand behind those that are better. One that gets well stays where it is: nothing moves for it, and so nothing goes to and fro. */
  #sink(): void {
    const rank = (leg: Leg): number => (leg.ready ? leg.trouble : 3)
    this.#legs = this.#legs.toSorted((a, b) => rank(a) - rank(b))
  }

  /** One that is not well, while another is: where none is, whatever is wrong is wrong with all of them. */
  #toReplace(): Leg | undefined {
    const now = this.#init.clock.monotonic()
    if (this.#replacedAt !== undefined && now - this.#replacedAt < REPLACES_MS) return undefined
    if (!this.#legs.some((leg) => leg.healthy && leg.trouble === 0)) return undefined
    return this.#legs.findLast((leg) => leg.ready && leg.trouble > 0)
  }

  /** Ends the leg that another was built for. */
  #retire(by: Leg): void {
    const leg = this.#leaving
    this.#leaving = undefined
    if (leg === undefined || !this.#isToLeave(leg)) return
    this.#isParting = false
    this.#replacedAt = this.#init.clock.monotonic()
    this.#retired.add(leg)
    const why = leg.trouble > 0 ? 'was not well' : 'had a node in common with another one'
    this.#init.onEvent?.(legReplaced(by.hops, leg.hops, why))
    leg.destroy()
    this.keep()
  }

  #onSuspect(leg: Leg): void {
    this.#init.onEvent?.(legSilent(leg.hops, leg.worst))
    const sessionLeg = this.#sessionLegs.get(leg)
    if (sessionLeg !== undefined) this.#session?.silence(sessionLeg)
    this.#assign()
    // Is it this leg, or the exit? The others tell, those that carry nothing as well.
    for (const other of this.#legs) if (other !== leg) other.doubt()
    if (!this.healthy) this.#init.onSuspect?.(this)
    this.keep()
  }

  #onLegEnd(leg: Leg): void {
    this.#legs = this.#legs.filter((other) => other !== leg)
    const sessionLeg = this.#sessionLegs.get(leg)
    this.#sessionLegs.delete(leg)
    if (sessionLeg !== undefined) {
      this.#driver?.drop(sessionLeg)
      this.#session?.removeLeg(sessionLeg)
    }
    if (this.#isOver) return
    if (this.#retired.has(leg)) return this.#assign()
    // That one is silent was told before, and one that was never ready is no loss.
    if (leg.fault !== undefined && !leg.isSilent && sessionLeg !== undefined)
      this.#init.onEvent?.(legLost(leg.fault, leg.culpritHop))
    this.#last = leg
    const isGone = this.#session?.isNamed !== true || leg.culprit === this.exit
    if (this.#sessionLegs.size === 0 && isGone) return this.#end(lossOf(leg))
    const silent = leg.silentAtExit
    if (silent !== undefined) this.#witnesses.ended(silent, this.#init.clock.monotonic())
    this.#lookAtExit()
    if (this.over) return
    this.#init.onLegEnd?.(leg, this.#blameOf(leg))
    this.#assign()
    if (!this.healthy) this.#init.onSuspect?.(this)
    // Whatever is to be built next is begun by who knows how soon.
  }

  /** Ends it where its legs agree that its exit is gone: nothing that runs over it can go on. Where this side's own line is down no relay says so. */
  #lookAtExit(): void {
    if (this.#isOver || this.exit === undefined || this.healthy) return
    const standing = [...this.#sessionLegs.keys()].flatMap((leg) => leg.silentAtExit ?? [])
    const relays = this.#witnesses.verdict(standing, this.#init.clock.monotonic())
    if (relays === undefined) return
    const fault = exitLostFault(this.exit, relays)
    this.#init.onEvent?.(legLost(fault, { node: this.exit, role: 'exit' }))
    this.#end({
      fault,
      culprit: this.exit,
      hops: this.#init.hops,
      isRefused: false,
      entryAnswered: true,
      wasReady: true,
      isAgreed: true,
    })
  }

  #end(loss: PathSetLoss | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#loss = loss
    // The exit learns that it is over from the session, in case a circuit still carries.
    this.#session?.close(SessionCode.none, '')
    this.#driver?.flush()
    this.#driver?.close()
    for (const leg of this.#legs.slice()) leg.destroy(loss?.fault)
    this.#streams.clear()
    this.#init.onEnd?.(this)
  }
}

function lossOf({ fault, culprit, hops, isRefused, entryAnswered, wasReady }: Leg): PathSetLoss | undefined {
  return fault && { fault, culprit, hops, isRefused, entryAnswered, wasReady }
}

function sessionFault(code: number, exit: RouteMember | undefined): Fault {
  return {
    code: 'E_ROUTE_CLOSED',
    cause: `The exit …${shortId(exit?.id ?? '')} closed the session (code ${code}, docs/specs/session.md).`,
    fix: 'Nothing to do: another route is taken.',
  }
}
