import type { Clock, Fault } from '@weft/core'
import { isNobodyLeft } from '../route/nobody-left.ts'
import type { RouteEvent, VpnState } from '../vpn.ts'
import { type WayToEntries, noRouteFault } from './no-route-fault.ts'
import type { PathSet, PathSetLoss } from './path-set.ts'
import type { PathSets } from './path-sets.ts'
import { RouteLog, type ToldEvent } from './route-log.ts'
import { isEntrySilent } from './route-nodes.ts'
import { exitChanged, machineMoved, routeChanged, routeImproved, routeRotated, routesBlocked } from './route-words.ts'

export interface RoutesToldInit {
  readonly clock: Clock
  /** What may be in the way where no entry answers. */
  readonly way?: () => WayToEntries
  readonly onEvent?: (event: RouteEvent) => void
  /** New streams take another path set than before. */
  readonly onMoved: () => void
}

/** How the routes of one user are, and what happened to them. */
export class RoutesTold {
  readonly #sets: PathSets
  readonly #way: (() => WayToEntries) | undefined
  readonly #log: RouteLog
  readonly #onMoved: () => void
  /** The last one, until one gets ready. */
  #fault: Fault | undefined
  /** The last one that failed got no answer of its entry. */
  #entrySilent = false
  /** As it was told last. */
  #told: { readonly isBlocked: boolean; readonly inUse: PathSet | undefined } = { isBlocked: false, inUse: undefined }

  constructor(sets: PathSets, { clock, way, onEvent, onMoved }: RoutesToldInit) {
    this.#sets = sets
    this.#way = way
    this.#log = new RouteLog(clock, onEvent)
    this.#onMoved = onMoved
  }

  get state(): Exclude<VpnState, 'off'> {
    if (this.#sets.inUse() !== undefined) return 'connected'
    return this.#fault === undefined ? 'connecting' : 'blocked'
  }

  get fault(): Fault | undefined {
    const fault = this.#fault
    if (fault === undefined || this.#sets.inUse() !== undefined) return undefined
    if (isNobodyLeft(fault.code)) return fault
    return noRouteFault(fault, this.#entrySilent ? this.#way?.() : undefined)
  }

  /** What the last one failed with; its fix is that of the whole route, as "another route is taken" would not be true. */
  get toRequests(): Fault | undefined {
    const { fault } = this
    return fault?.code === 'E_ROUTE_NONE' && this.#fault !== undefined
      ? { ...this.#fault, fix: fault.fix }
      : (fault ?? this.#fault)
  }

  /** What happened to them, the newest first. */
  get events(): readonly RouteEvent[] {
    return this.#log.events
  }

  tell(event: ToldEvent): void {
    this.#log.tell(event)
  }

  /** None can be begun. */
  onBlocked(fault: Fault): void {
    this.#fault = fault
  }

  onLost(loss: PathSetLoss): void {
    this.#fault = loss.fault
    this.#entrySilent = isEntrySilent(loss)
  }

  /** Nobody was there for a route, and now somebody is: that it was blocked is over. */
  onBegun(): void {
    if (this.#fault !== undefined && isNobodyLeft(this.#fault.code)) this.#fault = undefined
  }

  onReady(): void {
    this.#fault = undefined
  }

  /** New streams take one that is nearer than that in use. */
  onNearer(nearer: PathSet, used: PathSet): void {
    this.#told = { ...this.#told, inUse: nearer }
    this.#log.tell(routeImproved(nearer.hops[0] ?? [], used.latencyMs ?? 0, nearer.latencyMs ?? 0))
    this.#onMoved()
  }

  /** The whole machine goes over another path set than before. */
  onMachineMoved({ hops: [first] }: PathSet): void {
    if (first !== undefined) this.#log.tell(machineMoved(first))
  }

  /** Tells what of them as a whole is another thing than before. */
  onChange(): void {
    const { state, fault } = this
    const inUse = this.#sets.inUse()
    const { isBlocked, inUse: before } = this.#told
    this.#told = { isBlocked: state === 'blocked', inUse: inUse ?? before }
    if (state === 'blocked' && !isBlocked && fault !== undefined) this.#log.tell(routesBlocked(fault))
    if (inUse === undefined || before === undefined || inUse === before) return
    // Of the machine it is told when its packets do go there.
    if (this.#sets.preferred === undefined) this.#tellOther(inUse, before)
    this.#onMoved()
  }

  #tellOther(inUse: PathSet, before: PathSet): void {
    const [first = []] = inUse.hops
    if (before.outdated) this.#log.tell(routeChanged(first))
    else if (this.#sets.isStale(before)) this.#log.tell(routeRotated(first))
    else if (inUse.exit !== undefined && inUse.exit.id !== before.exit?.id) this.#log.tell(exitChanged(inUse.exit))
  }

  close(): void {
    this.#told = { isBlocked: false, inUse: undefined }
  }
}
