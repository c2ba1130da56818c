import { type Clock, type Fault, type Random, equalBytes, toWeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { CircuitLink, ClientCircuits, StreamTarget } from '@weft/onion'
import { chooseRoute, isNobodyLeft } from '../route/choose-route.ts'
import type { RouteMember } from '../route/route-member.ts'
import type { LegStatus, VpnState } from '../vpn.ts'
import type { FlushQueue } from './flush-queue.ts'
import { Leg, SLOW_BUILD_MS } from './leg.ts'
import { type WayToEntries, noRouteFault } from './no-route-fault.ts'
import { StreamOpener, type TakeStream, type WriteEarly } from './stream-opener.ts'

export interface ClientRoutesInit {
  readonly circuits: ClientCircuits
  /** This node itself: never part of its own routes. */
  readonly self: DidKey
  readonly queue: FlushQueue
  readonly clock: Clock
  readonly random: Random
  readonly members: () => readonly RouteMember[]
  /** Members that the overlay cannot reach at the moment: taken only where there are no others. */
  readonly unreachable: ReadonlySet<DidKey>
  readonly linkTo: (entry: RouteMember) => CircuitLink
  /** Entries that the network around seems not to lead to: others are taken first. */
  readonly unlikelyEntries?: () => ReadonlySet<DidKey>
  /** What may be in the way where no entry answers. */
  readonly way?: () => WayToEntries
  /** Legs in readiness beside the one in use. */
  readonly spares: number
  /** Where they lead; out of the network by default. */
  readonly end?: 'exit' | 'service'
  readonly onChange: () => void
}

/** ms for which a node that failed is left out; and all of a leg that fell silent, when it is not known which of them it was. */
const FAILED_MS = 60_000
const SILENT_MS = 20_000
/** The same of an exit that does not do what was asked of it. */
const NOT_OFFERED_MS = 10 * 60_000
/** Legs at once, those that are being built or are silent included. */
const MAX_LEGS = 6
/** ms between attempts to build when one failed; doubled up to the last. */
const RETRY_FIRST_MS = 250
const RETRY_MOST_MS = 8_000

/** Keeps a leg in use and spares beside it, and opens streams on whichever works. */
export class ClientRoutes {
  readonly #init: ClientRoutesInit
  readonly #opener: StreamOpener
  /** In the order in which they became ready: the first healthy one is in use. */
  #legs: Leg[] = []
  #preferred: Leg | undefined
  /** Nodes that failed, until when they are left out, monotonic ms, and the onion key under which they refused a handshake. */
  readonly #failed = new Map<DidKey, { readonly until: number; readonly refused: Uint8Array | undefined }>()
  /** As the overlay said last. */
  #unreachable: ReadonlySet<DidKey>
  /** What legs that are gone have carried. */
  readonly #endedBytes = { sent: 0, received: 0 }
  /** Those whom streams lead to; their legs begin elsewhere where they can. */
  readonly #called = new Set<DidKey>()
  /** Legs that begin at one of them, since there was no other entry; until there is. */
  readonly #sharing = new Set<Leg>()
  #fault: Fault | undefined
  /** The last one that failed got no answer of its entry. */
  #entrySilent = false
  #retryMs = RETRY_FIRST_MS
  #cancelRetry: (() => void) | undefined
  #closed = false

  constructor(init: ClientRoutesInit) {
    this.#init = init
    this.#unreachable = init.unreachable
    const routes = {
      inUse: () => this.#inUse(),
      beside: (leg: Leg) => this.#beside(leg),
      keep: () => this.keep(),
      leaveExit: (leg: Leg) => this.#leaveExit(leg),
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
    return this.#legs.reduce((sum, { streams }) => sum + streams, this.#opener.waiting)
  }

  /** Bytes of connections that went each way, over legs that are gone too: it never falls. */
  get bytes(): { readonly sent: number; readonly received: number } {
    return this.#legs.reduce(
      (sum, { bytes }) => ({ sent: sum.sent + bytes.sent, received: sum.received + bytes.received }),
      this.#endedBytes,
    )
  }

  /** The one in use first, when there is one. */
  legs(): LegStatus[] {
    const used = this.#inUse()
    const others = this.#legs.filter((leg) => leg !== used)
    return [...(used === undefined ? [] : [used.status('active')]), ...others.map((leg) => leg.status('spare'))]
  }

  /** Builds what is missing; to be called when members change, too. */
  keep(): void {
    if (this.#closed) return
    this.#takeBackRefused()
    const members = new Set(this.#init.members().map(({ id }) => id))
    for (const leg of this.#legs) {
      // One that begins at a member that was called meanwhile is of no more use, and takes the place of another.
      const useless =
        leg.hops.some(({ id }) => !members.has(id)) || (this.#isCalled(leg.hops) && !this.#sharing.has(leg))
      if (leg.streams === 0 && useless) leg.destroy()
    }
    const fit = (): number => this.#legs.filter((leg) => leg.promising && !this.#isCalled(leg.hops)).length
    while (this.#legs.length < MAX_LEGS && fit() <= this.#init.spares) {
      if (!this.#build()) break
    }
  }

  /** To be called when the overlay lost a member or reached it again. */
  onReach(unreachable: ReadonlySet<DidKey>): void {
    for (const id of this.#unreachable) if (!unreachable.has(id)) this.#failed.delete(id)
    this.#unreachable = unreachable
    for (const leg of this.#legs) leg.onUnreachable(unreachable)
    this.keep()
  }

  /** New streams go over this leg as long as it works. */
  prefer(leg: Leg): void {
    this.#preferred = leg
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
    for (const leg of this.#legs) leg.destroy()
    this.#opener.close()
  }

  /** What the last one failed with; that another is taken is said only where there is one. */
  #toldToRequests(): Fault | undefined {
    const { fault } = this
    return fault?.code === 'E_ROUTE_NONE' && this.#fault !== undefined
      ? { ...this.#fault, fix: fault.fix }
      : (fault ?? this.#fault)
  }

  #inUse(): Leg | undefined {
    const preferred = this.#preferred
    if (preferred !== undefined && preferred.healthy && this.#legs.includes(preferred)) return preferred
    return this.#firstOf(this.#legs)
  }

  #beside({ hops }: Leg): Leg | undefined {
    return this.#firstOf(this.#legs.filter((leg) => leg.hops.at(-1)?.id !== hops.at(-1)?.id))
  }

  #firstOf(legs: readonly Leg[]): Leg | undefined {
    const healthy = legs.filter((leg) => leg.healthy)
    return healthy.find(({ hops }) => !this.#isCalled(hops)) ?? healthy.find((leg) => this.#sharing.has(leg))
  }

  #isCalled([entry]: readonly RouteMember[]): boolean {
    return entry !== undefined && this.#called.has(entry.id)
  }

  /** @returns false when none can be begun now. */
  #build(): boolean {
    const hops = this.#choose()
    if (hops === undefined) return false
    const shares = this.#isCalled(hops)
    if (!shares) this.#sharing.clear()
    else if ([...this.#sharing].filter(({ promising }) => promising).length > this.#init.spares) return false
    const leg = this.#begin(hops)
    if (leg === undefined) return false
    this.#legs.push(leg)
    if (shares) this.#sharing.add(leg)
    // One that takes long to build is not waited for: another is begun beside it, over other nodes.
    this.#init.clock.after(SLOW_BUILD_MS, () => {
      if (!leg.ready && !leg.over) this.keep()
    })
    // Nobody was there for a route, and now somebody is: that it was blocked is over.
    if (this.#fault !== undefined && isNobodyLeft(this.#fault.code)) this.#fault = undefined
    this.#init.onChange()
    leg.start()
    return !leg.over
  }

  #choose(): readonly RouteMember[] | undefined {
    const { clock, random, members, self, end = 'exit', unlikelyEntries } = this.#init
    const now = clock.monotonic()
    for (const [id, { until }] of this.#failed) if (until <= now) this.#failed.delete(id)
    const busy = new Set(this.#legs.flatMap(({ hops }) => hops.map(({ id }) => id)))
    const away = this.#unreachable
    // Last those of whom both say so: where the overlay reaches nobody, the others are all that is left.
    const own = new Set(this.#failed.keys())
    const failed = [...own.difference(away), ...away.difference(own), ...own.intersection(away)]
    const unlikely = unlikelyEntries?.() ?? new Set()
    // Whoever failed is no more likely. Those that the overlay does not reach may be: where little is let through, that is everybody.
    const unlikelyEntry = unlikely.size === 0 ? unlikely : unlikely.union(own)
    const wishes = { never: new Set([self]), busy, failed, end, notEntry: this.#called, unlikelyEntry }
    try {
      return chooseRoute(members(), wishes, random)
    } catch (error) {
      this.#cannotBuild(error)
      return undefined
    }
  }

  #begin(hops: readonly RouteMember[]): Leg | undefined {
    const { clock, random, linkTo, circuits, queue } = this.#init
    const [entry] = hops as readonly [RouteMember]
    try {
      return new Leg({
        link: linkTo(entry),
        hops,
        circuits,
        queue,
        clock,
        random,
        onReady: () => this.#onReady(),
        onSuspect: () => {
          this.keep()
          this.#opener.wake()
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
  #leaveExit(leg: Leg): void {
    const exit = leg.hops.at(-1)
    if (exit !== undefined) this.#leaveOut(exit.id, NOT_OFFERED_MS)
    this.#retryMs = RETRY_FIRST_MS
    leg.destroy()
  }

  /** The one that failed last stands last. */
  #leaveOut(id: DidKey, ms: number, refused?: Uint8Array): void {
    this.#failed.delete(id)
    this.#failed.set(id, { until: this.#init.clock.monotonic() + ms, refused })
  }

  /** Whoever had a new onion key when it was asked under the one of an older map did nothing wrong. */
  #takeBackRefused(): void {
    for (const { id, onionKey } of this.#init.members()) {
      const refused = this.#failed.get(id)?.refused
      if (refused !== undefined && !equalBytes(refused, onionKey)) this.#failed.delete(id)
    }
  }

  #onReady(): void {
    this.#fault = undefined
    this.#opener.wake()
    this.#init.onChange()
  }

  #onEnd(leg: Leg): void {
    this.#legs = this.#legs.filter((other) => other !== leg)
    this.#sharing.delete(leg)
    this.#endedBytes.sent += leg.bytes.sent
    this.#endedBytes.received += leg.bytes.received
    if (this.#closed) return
    // One that an exit ends as soon as it is ready leaves the wait between attempts as it is.
    if (leg.stood) this.#retryMs = RETRY_FIRST_MS
    if (leg.fault !== undefined) {
      this.#fault = leg.fault
      this.#entrySilent = !leg.entryAnswered && leg.culprit === leg.hops[0] && !leg.isRefused
      if (leg.culprit === undefined) for (const { id } of leg.hops) this.#leaveOut(id, SILENT_MS)
      else this.#leaveOut(leg.culprit.id, FAILED_MS, leg.isRefused ? leg.culprit.onionKey : undefined)
    }
    this.#opener.wake()
    this.#init.onChange()
    if (this.#legs.some(({ healthy }) => healthy)) this.#retryLater()
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
