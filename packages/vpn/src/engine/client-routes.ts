import { type Clock, type Fault, type Random, WeftError, equalBytes, toWeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { CircuitLink, ClientCircuits, StreamTarget, Tier } from '@weft/onion'
import { isNobodyLeft } from '../route/nobody-left.ts'
import type { ClientChoice, RouteWishes } from '../route/client-choice.ts'
import type { RouteMember } from '../route/route-member.ts'
import type { LegStatus, LegVerification, RouteEvent, VpnState } from '../vpn.ts'
import type { FlushQueue } from './flush-queue.ts'
import { type WayToEntries, noRouteFault } from './no-route-fault.ts'
import { NearestRoutes } from './nearest-routes.ts'
import { type LegNumbers, PathSet, type PathSetEvents, type PathSetLoss } from './path-set.ts'
import { PathSetTimes } from './path-set-times.ts'
import { RouteLog } from './route-log.ts'
import { exitChanged, routeImproved, routeRotated, routesBlocked } from './route-words.ts'
import { StreamOpener, type TakeStream, type WriteEarly } from './stream-opener.ts'

export interface ClientRoutesInit {
  readonly circuits: ClientCircuits
  readonly queue: FlushQueue
  readonly clock: Clock
  readonly random: Random
  /** Which nodes they go over, the client's guards among them. */
  readonly choice: ClientChoice
  /** Members that the overlay cannot reach at the moment: taken only where there are no others. */
  readonly unreachable: ReadonlySet<DidKey>
  readonly linkTo: (entry: RouteMember) => CircuitLink
  /** What may be in the way where no entry answers. */
  readonly way?: () => WayToEntries
  /** Of the path set to each exit; one leg by default. */
  readonly legs?: () => LegNumbers
  /** Whether streams leave at an exit near to their target; they do not where it is left out. */
  readonly isNearest?: () => boolean
  /** What their circuits do against who watches; off by default. */
  readonly tier?: () => Tier
  /** ms for which new streams take a path set, for each one anew; for ever where it is left out. */
  readonly rotationMs?: () => number
  /** Path sets to other exits in readiness beside the one in use, of one leg each until they are used. */
  readonly spares: number
  /** Where they lead; out of the network by default. */
  readonly end?: 'exit' | 'service'
  readonly onChange: () => void
  /** Something happened to one of them. */
  readonly onEvent?: (event: RouteEvent) => void
}

/** A leg, or all of a path set, that was lost. */
type Blamed = Omit<PathSetLoss, 'fault'>

/** ms for which a node that failed is left out; and all of a leg that fell silent, when it is not known which of them it was. */
const FAILED_MS = 60_000
const SILENT_MS = 20_000
/** The same of an exit that does not do what was asked of it. */
const NOT_OFFERED_MS = 10 * 60_000
/** Path sets at once, those that are being built or are silent included. */
const MAX_SETS = 6
/** ms between attempts to build when one failed; doubled up to the last. */
const RETRY_FIRST_MS = 250
const RETRY_MOST_MS = 8_000
/** A path set is better when its way takes this part of the time, and so many ms less; for so many looks in a row. */
const BETTER_PART = 0.6
const BETTER_MS = 20
const BETTER_LOOKS = 4
/** ms between looks at what legs measured. */
const LEARN_MS = 15_000
/** ms after which a leg that nobody was there for is tried again. */
const LOOK_AGAIN_MS = 10_000

/** Keeps a path set in use and spares beside it, and opens streams on whichever works. */
export class ClientRoutes {
  readonly #init: ClientRoutesInit
  readonly #opener: StreamOpener
  /** In the order in which they were begun: the first healthy one is in use. */
  #sets: PathSet[] = []
  #preferred: PathSet | undefined
  /** Nodes that failed, until when they are left out, monotonic ms, and the onion key under which they refused a handshake. */
  readonly #failed = new Map<DidKey, { readonly until: number; readonly refused: Uint8Array | undefined }>()
  /** As the overlay said last. */
  #unreachable: ReadonlySet<DidKey>
  /** What path sets that are gone have carried. */
  readonly #endedBytes = { sent: 0, received: 0 }
  /** Those whom streams lead to; their legs begin elsewhere where they can. */
  readonly #called = new Set<DidKey>()
  readonly #times: PathSetTimes
  /** Path sets that begin at one of them, since there was no other entry; until there is. */
  readonly #sharing = new Set<PathSet>()
  #fault: Fault | undefined
  /** The last one that failed got no answer of its entry. */
  #entrySilent = false
  #retryMs = RETRY_FIRST_MS
  #cancelRetry: (() => void) | undefined
  #cancelLook: (() => void) | undefined
  #cancelLearn: (() => void) | undefined
  /** Looks in a row in which one that stands ready was better. */
  #betterLooks = 0
  /** Made when it is first asked for. */
  #nearest: NearestRoutes | undefined
  readonly #log: RouteLog
  /** As it was told last. */
  #told: { readonly isBlocked: boolean; readonly inUse: PathSet | undefined } = { isBlocked: false, inUse: undefined }
  #closed = false

  constructor(init: ClientRoutesInit) {
    this.#log = new RouteLog(init.clock, init.onEvent)
    const onChange = (): void => {
      this.#tell()
      init.onChange()
    }
    this.#init = { ...init, onChange }
    this.#times = new PathSetTimes({
      ...init,
      onDue: () => {
        this.keep()
        onChange()
      },
    })
    this.#unreachable = init.unreachable
    const routes = {
      inUse: () => this.#inUse(),
      near: (target: StreamTarget) => this.#near(target),
      beside: (paths: PathSet) => this.#beside(paths),
      keep: () => this.keep(),
      leaveExit: (paths: PathSet) => this.#leaveExit(paths),
      lastFault: () => this.#toldToRequests(),
    }
    this.#opener = new StreamOpener(routes, init.clock)
  }

  get state(): Exclude<VpnState, 'off'> {
    if (this.#inUse() !== undefined) return 'connected'
    return this.#fault === undefined ? 'connecting' : 'blocked'
  }

  get fault(): Fault | undefined {
    const fault = this.#fault
    if (fault === undefined || this.#inUse() !== undefined) return undefined
    if (isNobodyLeft(fault.code)) return fault
    return noRouteFault(fault, this.#entrySilent ? this.#init.way?.() : undefined)
  }

  /** Connections that are open or being opened. */
  get streams(): number {
    return this.#sets.reduce((sum, { streams }) => sum + streams, this.#opener.waiting)
  }

  /** Bytes of connections that went each way, over legs that are gone too: it never falls. */
  get bytes(): { readonly sent: number; readonly received: number } {
    return this.#sets.reduce(
      (sum, { bytes }) => ({ sent: sum.sent + bytes.sent, received: sum.received + bytes.received }),
      this.#endedBytes,
    )
  }

  /** What happened to them, the newest first. */
  get events(): readonly RouteEvent[] {
    return this.#log.events
  }

  /** As {@link PathSet.verify}, the one in use first. */
  async verify(): Promise<Omit<LegVerification, 'use' | 'number'>[]> {
    const used = this.#inUse()
    const sets = this.#sets.toSorted((a, b) => Number(b === used) - Number(a === used))
    return (await Promise.all(sets.map((set) => set.verify(set === used ? 'active' : 'spare')))).flat()
  }

  /** The one in use first, when there is one. */
  legs(): LegStatus[] {
    const used = this.#inUse()
    const others = this.#sets.filter((set) => set !== used)
    return [...(used?.status('active') ?? []), ...others.flatMap((set) => set.status('spare'))]
  }

  /** Builds what is missing; to be called when members change, too. */
  keep(): void {
    if (this.#closed) return
    this.#takeBackRefused()
    const { choice } = this.#init
    for (const set of this.#sets.slice()) {
      // One that begins at a member that was called meanwhile is of no more use, and takes the place of another.
      const isGone = set.hops.flat().some(({ id }) => choice.member(id) === undefined)
      const isUseless = isGone || (this.#isCalled(set) && !this.#sharing.has(set))
      if (set.streams === 0 && (isUseless || (this.#times.isStale(set) && this.#hasFresh()))) set.destroy()
    }
    const fit = (): number => this.#sets.filter((set) => this.#isFit(set)).length
    while (this.#sets.length < MAX_SETS && fit() <= this.#init.spares) {
      if (!this.#build()) break
    }
    const used = this.#inUse()
    for (const set of this.#sets) if (set === used || set.streams > 0) set.keep()
  }

  /** To be called when the overlay lost a member or reached it again. */
  onReach(unreachable: ReadonlySet<DidKey>): void {
    for (const id of this.#unreachable) {
      if (unreachable.has(id)) continue
      this.#failed.delete(id)
      this.#init.choice.onReachable(id)
    }
    this.#unreachable = unreachable
    for (const set of this.#sets.slice()) set.onUnreachable(unreachable)
    this.keep()
  }

  /** What is asked of routes has changed: new streams take new ones, those that run stay. */
  renew(): void {
    for (const set of this.#sets) this.#times.expire(set)
    this.keep()
  }

  /** New streams go over this path set as long as it works. */
  prefer(paths: PathSet): void {
    this.#preferred = paths
  }

  /**
   * From now on no stream begins at this member, nor at one that was named before, as long as there are other entries: whoever is called
   * over a route, or holds another part of what is fetched over it, is not to be its first hop, who sees the client's address.
   */
  call(id: DidKey): void {
    this.#called.add(id)
    if (this.#inUse() === undefined) this.keep()
  }

  /** Resolves when there is a leg for streams. @throws WeftError as {@link StreamOpener.ready} */
  ready(): Promise<void> {
    return this.#opener.ready()
  }

  /** @throws WeftError as {@link StreamOpener.open} */
  open(target: StreamTarget, signal: AbortSignal, take: TakeStream, writeEarly?: WriteEarly): Promise<void> {
    return this.#opener.open(target, signal, take, writeEarly)
  }

  close(): void {
    this.#closed = true
    this.#cancelRetry?.()
    this.#cancelLook?.()
    this.#cancelLearn?.()
    this.#nearest?.close()
    for (const set of this.#sets.slice()) set.destroy()
    this.#opener.close()
    this.#times.close()
    this.#preferred = undefined
    this.#told = { isBlocked: false, inUse: undefined }
  }

  /** What the last one failed with; that another is taken is said only where there is one. */
  #toldToRequests(): Fault | undefined {
    const { fault } = this
    return fault?.code === 'E_ROUTE_NONE' && this.#fault !== undefined
      ? { ...this.#fault, fix: fault.fix }
      : (fault ?? this.#fault)
  }

  /** What of them as a whole is another thing than before. */
  #tell(): void {
    const { state, fault } = this
    const inUse = this.#inUse()
    const { isBlocked, inUse: before } = this.#told
    this.#told = { isBlocked: state === 'blocked', inUse: inUse ?? before }
    if (state === 'blocked' && !isBlocked && fault !== undefined) this.#log.tell(routesBlocked(fault))
    if (inUse === undefined || before === undefined || inUse === before) return
    const [first = []] = inUse.hops
    if (this.#times.isStale(before)) this.#log.tell(routeRotated(first))
    else if (inUse.exit !== undefined && inUse.exit.id !== before.exit?.id) this.#log.tell(exitChanged(inUse.exit))
  }

  #inUse(): PathSet | undefined {
    const preferred = this.#preferred
    const isPreferred = preferred !== undefined && preferred.healthy && this.#sets.includes(preferred)
    const set = isPreferred ? preferred : this.#firstOf(this.#sets)
    if (set !== undefined) this.#times.use(set)
    return set
  }

  /** New streams could go over it, now or soon. */
  #isFit(set: PathSet): boolean {
    return set.promising && !this.#isCalled(set) && !this.#times.isStale(set)
  }

  #hasFresh(): boolean {
    return this.#sets.some((set) => set.healthy && !this.#times.isStale(set))
  }

  /** The path set whose exit is nearest to a target, as far as that is asked for and known; one is built where there is none. */
  #near({ host, port, protocol }: StreamTarget): PathSet | undefined {
    if (this.#init.isNearest?.() !== true || protocol !== undefined || this.#closed) return undefined
    this.#nearest ??= this.#makeNearest()
    const nearestMs = this.#nearest.of({ host, port }, new Set(this.#failedNow().keys()))
    if (nearestMs === undefined) return undefined
    const msOf = ({ exit }: PathSet): number => nearestMs.get(exit?.id as DidKey) ?? Infinity
    const near = this.#sets.filter((set) => msOf(set) !== Infinity && this.#isFit(set))
    if (near.length === 0 && this.#sets.length < MAX_SETS) this.#build(nearestMs)
    const [best] = near.filter(({ healthy }) => healthy).toSorted((a, b) => msOf(a) - msOf(b))
    if (best !== undefined) this.#times.use(best)
    return best
  }

  #makeNearest(): NearestRoutes {
    const { clock, random, choice } = this.#init
    return new NearestRoutes({
      clock,
      random,
      exits: () =>
        choice.members.filter(
          ({ id, roles }) => roles.includes('exit') && !this.#failedNow().has(id) && !this.#unreachable.has(id),
        ),
      pathSets: () => {
        const used = this.#inUse()
        return this.#sets.filter((set) => set.healthy).sort((a, b) => Number(b === used) - Number(a === used))
      },
      make: ({ id }, events) => {
        try {
          const { hops } = choice.choose({ ...this.#wishes(), beside: { exit: id, legs: [] } })
          return this.#pathSet(hops, undefined, events)
        } catch (error) {
          if (error instanceof WeftError) return undefined
          throw error
        }
      },
    })
  }

  #beside({ exit }: PathSet): PathSet | undefined {
    return this.#firstOf(this.#sets.filter((set) => set.exit?.id !== exit?.id))
  }

  #firstOf(sets: readonly PathSet[]): PathSet | undefined {
    const healthy = sets.filter((set) => set.healthy)
    const uncalled = healthy.filter((set) => !this.#isCalled(set))
    return (
      uncalled.find((set) => !this.#times.isStale(set)) ?? uncalled[0] ?? healthy.find((set) => this.#sharing.has(set))
    )
  }

  #isCalled({ entries }: Pick<PathSet, 'entries'>): boolean {
    return entries.some(({ id }) => this.#called.has(id))
  }

  /** @returns false when none can be begun now. */
  #build(nearestMs?: ReadonlyMap<DidKey, number>): boolean {
    const hops = this.#choose(nearestMs)
    if (hops === undefined) return false
    const shares = this.#isCalled({ entries: hops.slice(0, 1) })
    if (!shares) this.#sharing.clear()
    else if ([...this.#sharing].filter(({ promising }) => promising).length > this.#init.spares) return false
    const set = this.#begin(hops)
    if (set === undefined) return false
    this.#sets.push(set)
    if (shares) this.#sharing.add(set)
    // One that takes long to build is not waited for: another is begun beside it, over other nodes.
    this.#times.begin(set)
    // Nobody was there for a route, and now somebody is: that it was blocked is over.
    if (this.#fault !== undefined && isNobodyLeft(this.#fault.code)) this.#fault = undefined
    this.#init.onChange()
    set.start()
    return !set.over
  }

  #choose(nearestMs?: ReadonlyMap<DidKey, number>): readonly RouteMember[] | undefined {
    const others = this.#sets.filter((set) => this.#isFit(set))
    // Beside one that works only another exit is of use.
    const notExits = new Set(others.flatMap(({ exit }) => exit?.id ?? []))
    try {
      const near = nearestMs === undefined ? {} : { nearestMs }
      return this.#init.choice.choose({ ...this.#wishes(), ...near, notExits }).hops
    } catch (error) {
      const isSpare = others.length > 0 && error instanceof WeftError && isNobodyLeft(error.code)
      if (!isSpare) this.#cannotBuild(error)
      return undefined
    }
  }

  /** Hops of one more leg: to the same exit, over no node that another of its legs has. */
  #moreHops(set: PathSet): readonly RouteMember[] | undefined {
    const { exit } = set
    if (exit === undefined) return undefined
    const wishes = this.#wishes()
    const legs = set.hops.map((leg) => leg.map(({ id }) => id))
    try {
      const { hops } = this.#init.choice.choose({ ...wishes, beside: { exit: exit.id, legs } })
      // Whoever failed a moment ago is no help: what the others carry is enough until then.
      if (!hops.some(({ id }) => wishes.failed?.includes(id))) return hops
    } catch (error) {
      if (!(error instanceof WeftError && isNobodyLeft(error.code))) throw error
    }
    this.#lookAgain()
    return undefined
  }

  /** A leg is missing for which nobody is there now: those who failed are tried again in time. */
  #lookAgain(): void {
    this.#cancelLook ??= this.#init.clock.after(LOOK_AGAIN_MS, () => {
      this.#cancelLook = undefined
      this.keep()
    })
  }

  #wishes(): RouteWishes {
    const { end = 'exit' } = this.#init
    const busy = new Set(this.#sets.flatMap(({ hops }) => hops.flat().map(({ id }) => id)))
    const away = this.#unreachable
    // Last those of whom both say so: where the overlay reaches nobody, the others are all that is left.
    const own = new Set(this.#failedNow().keys())
    const failed = [...own.difference(away), ...away.difference(own), ...own.intersection(away)]
    return { end, busy, failed, called: this.#called }
  }

  #begin(hops: readonly RouteMember[]): PathSet | undefined {
    const { choice, legs } = this.#init
    const [entry] = hops as readonly [RouteMember]
    try {
      return this.#pathSet(hops, legs?.(), {
        onReady: () => this.#onReady(),
        onSuspect: () => {
          this.keep()
          this.#opener.wake()
          this.#init.onChange()
        },
        onLegReady: (leg) => choice.onAnswered((leg.hops[0] as RouteMember).id),
        onLegEnd: (_, leg) => {
          this.#blame(leg)
          this.#retryLater()
        },
        onChange: () => this.#init.onChange(),
        onRed: ({ id }) => this.#leaveOut(id, FAILED_MS),
        onEvent: (event) => {
          this.#log.tell(event)
          this.#init.onChange()
        },
        onEnd: (ended) => this.#onEnd(ended),
      })
    } catch (error) {
      // Its link key is none, or no further link can be made: others may serve.
      this.#leaveOut(entry.id, FAILED_MS)
      this.#cannotBuild(error)
      return undefined
    }
  }

  #pathSet(hops: readonly RouteMember[], legs: LegNumbers | undefined, events: PathSetEvents): PathSet {
    const { clock, random, linkTo, circuits, queue, tier } = this.#init
    const moreHops = (set: PathSet): readonly RouteMember[] | undefined => this.#moreHops(set)
    return new PathSet({
      linkTo,
      hops,
      ...(legs === undefined ? {} : { legs }),
      tier: tier?.() ?? 'off',
      circuits,
      queue,
      clock,
      random,
      moreHops,
      ...events,
    })
  }

  #cannotBuild(error: unknown): void {
    // Plain data, not the error itself: it crosses to the main thread.
    const { code, cause, fix } = toWeftError(error, {
      code: 'E_INTERNAL',
      cause: 'A route could not be begun.',
      fix: 'See the log of this node.',
    })
    this.#fault = { code, cause, fix }
    this.#retryLater()
    this.#opener.wake()
    this.#init.onChange()
  }

  /** Its exit is none for these routes; nothing is wrong with it. */
  #leaveExit(set: PathSet): void {
    if (set.exit !== undefined) this.#leaveOut(set.exit.id, NOT_OFFERED_MS)
    this.#retryMs = RETRY_FIRST_MS
    set.destroy()
  }

  /** Leaves those out by whom a leg, or all of a path set, was lost. */
  #blame(loss: Blamed): void {
    const { culprit, isRefused, hops } = loss
    if (culprit !== undefined && isEntrySilent(loss)) this.#init.choice.onSilent(culprit.id)
    if (culprit === undefined) for (const { id } of hops) this.#leaveOut(id, SILENT_MS)
    else this.#leaveOut(culprit.id, FAILED_MS, isRefused ? culprit.onionKey : undefined)
  }

  /** Those that are left out still. */
  #failedNow(): ReadonlyMap<DidKey, unknown> {
    const now = this.#init.clock.monotonic()
    for (const [id, { until }] of this.#failed) if (until <= now) this.#failed.delete(id)
    return this.#failed
  }

  /** The one that failed last stands last. */
  #leaveOut(id: DidKey, ms: number, refused?: Uint8Array): void {
    this.#failed.delete(id)
    this.#failed.set(id, { until: this.#init.clock.monotonic() + ms, refused })
  }

  /** Whoever had a new onion key when it was asked under the one of an older map did nothing wrong. */
  #takeBackRefused(): void {
    for (const [id, { refused }] of this.#failed) {
      const onionKey = refused && this.#init.choice.member(id)?.onionKey
      if (refused !== undefined && onionKey !== undefined && !equalBytes(refused, onionKey)) this.#failed.delete(id)
    }
  }

  /** What legs measure counts when others are chosen. */
  #learnLater(): void {
    this.#cancelLearn ??= this.#init.clock.after(LEARN_MS, () => {
      this.#cancelLearn = undefined
      for (const { state, hops } of this.legs()) if (state !== 'building') this.#init.choice.learn(hops)
      this.#lookForBetter()
      if (this.#sets.length > 0) this.#learnLater()
    })
  }

  /** One that stands ready and has been much nearer for a while takes the place of that in use, for new streams. */
  #lookForBetter(): void {
    const used = this.#inUse()
    const usedMs = used?.latencyMs
    if (used === undefined || usedMs === undefined || used === this.#preferred) return
    const isBetter = ({ latencyMs }: PathSet): boolean =>
      latencyMs !== undefined && latencyMs < BETTER_PART * usedMs && usedMs - latencyMs >= BETTER_MS
    const better = this.#sets.find((set) => set !== used && set.healthy && this.#isFit(set) && isBetter(set))
    this.#betterLooks = better === undefined ? 0 : this.#betterLooks + 1
    if (better === undefined || this.#betterLooks < BETTER_LOOKS) return
    this.#betterLooks = 0
    this.#times.expire(used)
    this.#told = { ...this.#told, inUse: better }
    this.#log.tell(routeImproved(better.hops[0] ?? [], usedMs, better.latencyMs ?? 0))
    this.keep()
    this.#init.onChange()
  }

  #onReady(): void {
    this.#learnLater()
    this.#fault = undefined
    this.#opener.wake()
    this.#init.onChange()
    // One whose time is over has been waiting for this.
    if (this.#sets.some((set) => this.#times.isStale(set))) this.keep()
  }

  #onEnd(set: PathSet): void {
    this.#sets = this.#sets.filter((other) => other !== set)
    this.#sharing.delete(set)
    this.#times.end(set)
    if (set === this.#preferred) this.#preferred = undefined
    this.#endedBytes.sent += set.bytes.sent
    this.#endedBytes.received += set.bytes.received
    if (this.#closed) return
    // One that an exit ends as soon as it is ready leaves the wait between attempts as it is.
    if (set.stood) this.#retryMs = RETRY_FIRST_MS
    const { loss } = set
    if (loss !== undefined) {
      this.#fault = loss.fault
      this.#entrySilent = isEntrySilent(loss)
      this.#blame(loss)
    }
    this.#opener.wake()
    this.#init.onChange()
    if (this.#sets.some(({ healthy }) => healthy)) this.#retryLater()
    else if (this.#retryMs === RETRY_FIRST_MS) {
      this.#retryMs *= 2
      this.keep()
    } else this.#retryLater()
  }

  #retryLater(): void {
    if (this.#cancelRetry !== undefined || this.#closed) return
    this.#cancelRetry = this.#init.clock.after(this.#retryMs, () => {
      this.#cancelRetry = undefined
      this.keep()
    })
    this.#retryMs = Math.min(RETRY_MOST_MS, 2 * this.#retryMs)
  }
}

/** The entry was asked, and never said anything. */
function isEntrySilent({ culprit, hops: [entry], isRefused, entryAnswered }: Blamed): boolean {
  return culprit !== undefined && culprit === entry && !isRefused && !entryAnswered
}
