import { type Clock, type Fault, type Random, WeftError, toWeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { CircuitLink, ClientCircuits, StreamTarget, Tier } from '@weft/onion'
import type { ClientChoice } from '../route/client-choice.ts'
import { isNobodyLeft } from '../route/nobody-left.ts'
import type { RouteMember } from '../route/route-member.ts'
import type { ChoiceQuestion, LegChoice, LegStatus, LegVerification, RouteEvent, VpnState } from '../vpn.ts'
import type { FlushQueue } from './flush-queue.ts'
import { NearerWatch } from './nearer-watch.ts'
import { NearestRoutes } from './nearest-routes.ts'
import type { WayToEntries } from './no-route-fault.ts'
import { type LegNumbers, type LostLeg, PathSet, type PathSetEvents } from './path-set.ts'
import { PathSets } from './path-sets.ts'
import { Retries } from './retries.ts'
import { RouteNodes } from './route-nodes.ts'
import { guardDoubted } from './route-words.ts'
import { RoutesTold } from './routes-told.ts'
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
  /** New streams take another path set than before: what lasts, and is bound to none, is to follow. */
  readonly onMoved?: () => void
  /** Something happened to one of them. */
  readonly onEvent?: (event: RouteEvent) => void
}

/** ms between looks at what legs measured. */
const LEARN_MS = 15_000
/** ms after which a leg that nobody was there for is tried again. */
const LOOK_AGAIN_MS = 10_000

/** Keeps a path set in use and spares beside it, and opens streams on whichever works. */
export class ClientRoutes {
  readonly #init: ClientRoutesInit
  readonly #opener: StreamOpener
  readonly #nodes: RouteNodes
  readonly #sets: PathSets
  readonly #retries: Retries
  readonly #nearer = new NearerWatch()
  readonly #told: RoutesTold
  #cancelLook: (() => void) | undefined
  #cancelLearn: (() => void) | undefined
  /** Made when it is first asked for. */
  #nearest: NearestRoutes | undefined
  #closed = false

  constructor(init: ClientRoutesInit) {
    const onChange = (): void => {
      this.#told.onChange()
      init.onChange()
    }
    this.#init = { ...init, onChange }
    this.#nodes = new RouteNodes(init)
    this.#sets = new PathSets({
      ...init,
      isCalled: (set) => this.#nodes.isCalled(set),
      onDue: () => {
        // What follows to another first: one that nothing runs over any more ends at once.
        onChange()
        this.keep()
      },
    })
    this.#told = new RoutesTold(this.#sets, { ...init, onMoved: () => this.#onMoved() })
    this.#retries = new Retries(init.clock, () => this.keep())
    const routes = {
      inUse: () => this.#sets.inUse(),
      near: (target: StreamTarget) => this.#near(target),
      beside: (paths: PathSet) => this.#sets.beside(paths),
      hold: (target: StreamTarget, paths: PathSet, tookMs: number | undefined) =>
        this.#nearest?.hold(target, paths, tookMs),
      keep: () => this.keep(),
      leaveExit: (paths: PathSet) => this.#leaveExit(paths),
      lastFault: () => this.#told.toRequests,
    }
    this.#opener = new StreamOpener(routes, init.clock)
  }

  get state(): Exclude<VpnState, 'off'> {
    return this.#told.state
  }

  get fault(): Fault | undefined {
    return this.#told.fault
  }

  /** Connections that are open or being opened. */
  get streams(): number {
    return this.#sets.streams + this.#opener.waiting
  }

  /** As {@link PathSets.bytes}. */
  get bytes(): { readonly sent: number; readonly received: number } {
    return this.#sets.bytes
  }

  /** What happened to them, the newest first. */
  get events(): readonly RouteEvent[] {
    return this.#told.events
  }

  /** As {@link PathSets.verify}. */
  verify(): Promise<Omit<LegVerification, 'use' | 'number'>[]> {
    return this.#sets.verify()
  }

  /** How each leg was chosen, those in use first. */
  choices(question: ChoiceQuestion): Omit<LegChoice, 'use' | 'number'>[] {
    return this.#sets.chosen().flatMap(({ state, hops }) => {
      const choice = this.#init.choice.describe(hops, question)
      return choice === undefined ? [] : [{ state, ...choice }]
    })
  }

  /** As {@link PathSets.legs}. */
  legs(): LegStatus[] {
    return this.#sets.legs()
  }

  /** Builds what is missing; to be called when members change, too. */
  keep(): void {
    if (this.#closed) return
    this.#nodes.takeBackRefused()
    this.#sets.endUseless((set) => !this.#nodes.areListed(set))
    while (!this.#sets.isFull && this.#sets.fit.length <= this.#init.spares) {
      if (!this.#build()) break
    }
    const used = this.#sets.inUse()
    for (const set of this.#sets.all) if (set === used || set.streams > 0) set.keep()
  }

  /** To be called when the overlay lost a member or reached it again. */
  onReach(unreachable: ReadonlySet<DidKey>): void {
    this.#nodes.onReach(unreachable)
    for (const set of this.#sets.all) set.onUnreachable(unreachable)
    this.keep()
  }

  /** What is asked of routes has changed: new streams take new ones, or none while nobody is there for them; those that run stay. */
  renew(): void {
    this.#sets.outdate()
    this.#nearest?.moved()
    this.keep()
    this.#init.onChange()
  }

  /** New streams go over this path set, which carries the whole machine, as long as it works and {@link renew} is not called. */
  prefer(paths: PathSet): void {
    const before = this.#sets.preferred
    this.#sets.prefer(paths)
    if (before !== undefined && before !== paths) this.#told.onMachineMoved(paths)
  }

  /** As {@link PathSets.isLeft}. */
  isLeft(paths: PathSet): boolean {
    return this.#sets.isLeft(paths)
  }

  /**
   * From now on no stream begins at this member, nor at one that was named before, as long as there are other entries: whoever is called
   * over a route, or holds another part of what is fetched over it, is not to be its first hop, who sees the client's address.
   */
  call(id: DidKey): void {
    this.#nodes.call(id)
    if (this.#sets.inUse() === undefined) this.keep()
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
    this.#retries.close()
    this.#cancelLook?.()
    this.#cancelLearn?.()
    this.#nearest?.close()
    this.#sets.close()
    this.#opener.close()
    this.#told.close()
  }

  /** The path set whose exit is nearest to a target, as far as that is asked for and known; one is built where there is none. */
  #near({ host, port, protocol }: StreamTarget): PathSet | undefined {
    if (this.#init.isNearest?.() !== true || protocol !== undefined || this.#closed) return undefined
    this.#nearest ??= this.#makeNearest()
    const nearestMs = this.#nearest.of({ host, port }, this.#nodes.failed)
    if (nearestMs === undefined) return undefined
    const msOf = ({ exit }: PathSet): number => nearestMs.get(exit?.id as DidKey) ?? Infinity
    const near = this.#sets.fit.filter((set) => msOf(set) !== Infinity)
    if (near.length === 0 && !this.#sets.isFull) this.#build(nearestMs)
    const [best] = near.filter(({ healthy }) => healthy).toSorted((a, b) => msOf(a) - msOf(b))
    if (best !== undefined) this.#sets.use(best)
    return best
  }

  #makeNearest(): NearestRoutes {
    const { clock, random } = this.#init
    return new NearestRoutes({
      clock,
      random,
      exits: () => this.#nodes.exits,
      pathSets: () => this.#sets.inOrder().filter(({ healthy, outdated }) => healthy && !outdated),
      make: ({ id }, events) => {
        const { hops } = this.#nodes.choose(this.#sets.all, { beside: { exit: id, legs: [] } })
        return this.#pathSet(hops, undefined, events)
      },
    })
  }

  /** @returns false when none can be begun now. */
  #build(nearestMs?: ReadonlyMap<DidKey, number>): boolean {
    const hops = this.#choose(nearestMs)
    if (hops === undefined) return false
    const shares = this.#nodes.isCalled({ entries: hops.slice(0, 1) })
    if (!shares) this.#sets.endSharing()
    else if (!this.#sets.mayShare(this.#init.spares)) return false
    const set = this.#begin(hops)
    if (set === undefined) return false
    // One that takes long to build is not waited for: another is begun beside it, over other nodes.
    this.#sets.add(set, shares)
    this.#told.onBegun()
    this.#init.onChange()
    set.start()
    return !set.over
  }

  #choose(nearestMs?: ReadonlyMap<DidKey, number>): readonly RouteMember[] | undefined {
    const others = this.#sets.fit
    // Beside one that works only another exit is of use.
    const notExits = new Set(others.flatMap(({ exit }) => exit?.id ?? []))
    try {
      const near = nearestMs === undefined ? {} : { nearestMs }
      return this.#nodes.choose(this.#sets.all, { ...near, notExits }).hops
    } catch (error) {
      const isSpare = others.length > 0 && error instanceof WeftError && isNobodyLeft(error.code)
      if (!isSpare) this.#cannotBuild(error)
      return undefined
    }
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
        onLegReady: ({ hops: [first] }) => {
          choice.onAnswered((first as RouteMember).id)
          choice.onHeld((first as RouteMember).id)
        },
        onLegEnd: (_, loss) => {
          this.#onLost(loss)
          this.#retries.later()
        },
        onChange: () => this.#init.onChange(),
        onRed: (node) => this.#nodes.leaveRed(node),
        onEvent: (event) => {
          this.#told.tell(event)
          this.#init.onChange()
        },
        onEnd: (ended) => this.#onEnd(ended),
      })
    } catch (error) {
      // Its link key is none, or no further link can be made: others may serve.
      this.#nodes.leaveOut(entry)
      this.#cannotBuild(error)
      return undefined
    }
  }

  /** @throws WeftError E_LINK_KEY, E_LINK_LIMIT, E_LINKS_CLOSED */
  #pathSet(hops: readonly RouteMember[], legs: LegNumbers | undefined, events: PathSetEvents): PathSet {
    const { clock, random, linkTo, circuits, queue, tier } = this.#init
    return new PathSet({
      linkTo,
      hops,
      ...(legs === undefined ? {} : { legs }),
      tier: tier?.() ?? 'off',
      circuits,
      queue,
      clock,
      random,
      moreHops: (set) => this.#moreHops(set),
      ...events,
    })
  }

  #moreHops(set: PathSet): readonly RouteMember[] | undefined {
    const hops = this.#nodes.moreHops(set, this.#sets.all)
    // Those who failed are tried again in time.
    if (hops === undefined)
      this.#cancelLook ??= this.#init.clock.after(LOOK_AGAIN_MS, () => {
        this.#cancelLook = undefined
        this.keep()
      })
    return hops
  }

  #cannotBuild(error: unknown): void {
    // Plain data, not the error itself: it crosses to the main thread.
    const { code, cause, fix } = toWeftError(error, {
      code: 'E_INTERNAL',
      cause: 'A route could not be begun.',
      fix: 'See the log of this node.',
    })
    this.#told.onBlocked({ code, cause, fix })
    this.#retries.later()
    this.#opener.wake()
    this.#init.onChange()
  }

  /** Its exit is none for these routes; nothing is wrong with it. */
  #leaveExit(set: PathSet): void {
    if (set.exit !== undefined) this.#nodes.leaveExit(set.exit)
    this.#retries.reset()
    set.destroy()
  }

  /** What legs measure counts when others are chosen. */
  #learnLater(): void {
    this.#cancelLearn ??= this.#init.clock.after(LEARN_MS, () => {
      this.#cancelLearn = undefined
      for (const { state, hops } of this.legs()) if (state !== 'building') this.#init.choice.learn(hops)
      this.#lookForNearer()
      if (this.#sets.all.length > 0) this.#learnLater()
    })
  }

  /** One that stands ready and has been much nearer for a while takes the place of that in use, for new streams. */
  #lookForNearer(): void {
    const used = this.#sets.inUse()
    if (used === undefined || used === this.#sets.preferred) return
    const others = this.#sets.fit.filter((set) => set !== used && set.healthy)
    const nearer = this.#nearer.look(used, others)
    if (nearer === undefined) return
    this.#sets.expire(used)
    this.#told.onNearer(nearer, used)
    this.keep()
    this.#init.onChange()
  }

  #onReady(): void {
    this.#learnLater()
    this.#told.onReady()
    this.#opener.wake()
    this.#init.onChange()
    // One whose time is over has been waiting for this.
    if (this.#sets.hasStale) this.keep()
  }

  #onLost(loss: LostLeg): void {
    const doubted = this.#nodes.judgeGuard(loss)
    this.#nodes.blame(loss)
    if (doubted === undefined) return
    this.#told.tell(guardDoubted(doubted))
    // What stands over it may stand because it ends at friends of its.
    for (const set of this.#sets.all) if (set.entries.includes(doubted)) this.#sets.expire(set)
  }

  #onMoved(): void {
    this.#nearest?.moved()
    this.#init.onMoved?.()
  }

  #onEnd(set: PathSet): void {
    this.#sets.remove(set)
    if (this.#closed) return
    // One that an exit ends as soon as it is ready leaves the wait between attempts as it is.
    if (set.stood) this.#retries.reset()
    const { loss } = set
    if (loss !== undefined) {
      this.#told.onLost(loss)
      this.#onLost(loss)
    }
    this.#opener.wake()
    this.#init.onChange()
    if (this.#sets.all.some(({ healthy }) => healthy)) this.#retries.later()
    else this.#retries.soon()
  }
}
