import { type Clock, WeftError, equalBytes } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { ChosenRoute, ClientChoice, RouteWishes } from '../route/client-choice.ts'
import { boundedFailures } from '../route/bounded-failures.ts'
import { isNobodyLeft } from '../route/nobody-left.ts'
import type { RouteMember } from '../route/route-member.ts'
import { isOwed } from './circuit-fault.ts'
import type { LostLeg, PathSet } from './path-set.ts'

export interface RouteNodesInit {
  readonly clock: Clock
  readonly choice: ClientChoice
  /** Members that the overlay cannot reach at the moment: taken only where there are no others. */
  readonly unreachable: ReadonlySet<DidKey>
  /** Where routes lead; out of the network by default. */
  readonly end?: 'exit' | 'service'
}

interface Failed {
  /** Monotonic ms: until when it is left out. */
  readonly until: number
  /** The onion key under which it refused a handshake. */
  readonly refused: Uint8Array | undefined
  /** By the word of other nodes, or as one of several that may be to blame. */
  readonly isHearsay: boolean
}

/** ms for which a node that failed is left out; and all of a leg that fell silent, when it is not known which of them it was. */
const FAILED_MS = 60_000
const SILENT_MS = 20_000
/** The same of an exit that does not do what was asked of it. */
const NOT_OFFERED_MS = 10 * 60_000

/** Which nodes the routes of one user go over, and which they leave out: those that failed, that cannot be reached, or that streams lead to. */
export class RouteNodes {
  readonly #init: RouteNodesInit
  /** The one that failed last stands last. */
  readonly #failed = new Map<DidKey, Failed>()
  /** As the overlay said last. */
  #unreachable: ReadonlySet<DidKey>
  /** Those whom streams lead to; legs begin elsewhere where they can. */
  readonly #called = new Set<DidKey>()

  constructor(init: RouteNodesInit) {
    this.#init = init
    this.#unreachable = init.unreachable
  }

  /** Those that are left out at the moment, whether the overlay reaches them or not. */
  get failed(): ReadonlySet<DidKey> {
    const now = this.#init.clock.monotonic()
    for (const [id, { until }] of this.#failed) if (until <= now) this.#failed.delete(id)
    return new Set(this.#failed.keys())
  }

  /** Exits that nothing speaks against. */
  get exits(): RouteMember[] {
    const { failed } = this
    return this.#init.choice.members.filter(
      ({ id, roles }) => roles.includes('exit') && !failed.has(id) && !this.#unreachable.has(id),
    )
  }

  /** All of them are in the map. */
  areListed({ hops }: PathSet): boolean {
    return hops.every((leg) => leg.every(({ id }) => this.#init.choice.member(id) !== undefined))
  }

  /** Streams lead to one of these entries. */
  isCalled({ entries }: Pick<PathSet, 'entries'>): boolean {
    return entries.some(({ id }) => this.#called.has(id))
  }

  call(id: DidKey): void {
    this.#called.add(id)
  }

  /** To be called when the overlay lost a member or reached it again. */
  onReach(unreachable: ReadonlySet<DidKey>): void {
    for (const id of this.#unreachable) {
      if (unreachable.has(id)) continue
      this.#failed.delete(id)
      this.#init.choice.onReachable(id)
    }
    this.#unreachable = unreachable
  }

  /** As {@link ClientChoice.choose}, beside what these path sets go over already. */
  choose(busy: readonly PathSet[], wishes: Pick<RouteWishes, 'nearestMs' | 'notExits' | 'beside'>): ChosenRoute {
    return this.#init.choice.choose({ ...this.#wishes(busy), ...wishes })
  }

  /** Hops of one more leg: to the same exit, over no node that another of its legs has; undefined where nobody is there for it now. */
  moreHops({ exit, hops }: PathSet, busy: readonly PathSet[]): readonly RouteMember[] | undefined {
    if (exit === undefined) return undefined
    const legs = hops.map((leg) => leg.map(({ id }) => id))
    const more = orNobody(() => this.choose(busy, { beside: { exit: exit.id, legs } }).hops)
    // Whoever failed a moment ago is no help: what the others carry is enough until then.
    const out = new Set([...this.failed, ...this.#unreachable])
    return more?.some(({ id }) => out.has(id)) === true ? undefined : more
  }

  /** Leaves those out by whom a leg, or all of a path set, was lost. */
  blame(loss: LostLeg): void {
    const { culprit, isRefused, hops, isByExit = false, fault } = loss
    const isHearsay = !isByExit && (culprit !== hops[0] || isOwed(fault))
    if (culprit !== undefined && isEntrySilent(loss)) this.#init.choice.onSilent(culprit.id)
    if (culprit === undefined) for (const { id } of hops) this.#leaveOut(id, SILENT_MS, { isHearsay })
    else this.#leaveOut(culprit.id, FAILED_MS, { isHearsay, refused: isRefused ? culprit.onionKey : undefined })
  }

  /**
   * What was lost behind a guard that answered counts against it, unless its exit ended it, relays of two legs agree that this is gone, the overlay knows that the node to blame is
   * gone, or this client owes a payment.
   * @returns the guard where it is doubted since this one
   */
  judgeGuard({ hops: [entry], culprit, entryAnswered, wasReady, fault, ...by }: LostLeg): RouteMember | undefined {
    if (entry === undefined || !entryAnswered || isOwed(fault)) return undefined
    if (by.isByExit === true || by.isAgreed === true) return undefined
    if (culprit !== undefined && this.#unreachable.has(culprit.id)) return undefined
    return this.#init.choice.onLost(entry.id, wasReady) ? entry : undefined
  }

  /** It does not do what it should. */
  leaveOut({ id }: RouteMember): void {
    this.#leaveOut(id, FAILED_MS)
  }

  /** It, or the link before it, loses or delays, as far as the counters of all hops tell. */
  leaveRed({ id }: RouteMember): void {
    this.#leaveOut(id, FAILED_MS, { isHearsay: true })
  }

  /** What is asked of this exit it does not do; nothing is wrong with it. */
  leaveExit({ id }: RouteMember): void {
    this.#leaveOut(id, NOT_OFFERED_MS)
  }

  /** Whoever had a new onion key when it was asked under the one of an older map did nothing wrong. */
  takeBackRefused(): void {
    for (const [id, { refused }] of this.#failed) {
      const onionKey = refused && this.#init.choice.member(id)?.onionKey
      if (refused !== undefined && onionKey !== undefined && !equalBytes(refused, onionKey)) this.#failed.delete(id)
    }
  }

  #wishes(sets: readonly PathSet[]): RouteWishes {
    const { end = 'exit' } = this.#init
    const busy = new Set(sets.flatMap(({ hops }) => hops.flat().map(({ id }) => id)))
    const away = this.#unreachable
    const own = this.#leftOut()
    // Last those of whom both say so: where the overlay reaches nobody, the others are all that is left.
    const failed = [...own.difference(away), ...away.difference(own), ...own.intersection(away)]
    return { end, busy, failed, called: this.#called }
  }

  /** Of those that failed, but for some of those of which only others say so. */
  #leftOut(): ReadonlySet<DidKey> {
    const { failed } = this
    const isTold = (id: DidKey): boolean => this.#failed.get(id)?.isHearsay === true && !this.#unreachable.has(id)
    const told = [...failed].filter(isTold)
    const kept = new Set(boundedFailures(told, this.#init.choice.members))
    return new Set([...failed].filter((id) => !isTold(id) || kept.has(id)))
  }

  #leaveOut(id: DidKey, ms: number, how: Partial<Omit<Failed, 'until'>> = {}): void {
    this.#failed.delete(id)
    this.#failed.set(id, { refused: undefined, isHearsay: false, ...how, until: this.#init.clock.monotonic() + ms })
  }
}

/** The entry was asked, and never said anything. */
export function isEntrySilent({ culprit, hops: [entry], isRefused, entryAnswered }: LostLeg): boolean {
  return culprit !== undefined && culprit === entry && !isRefused && !entryAnswered
}

function orNobody<T>(choose: () => T): T | undefined {
  try {
    return choose()
  } catch (error) {
    if (error instanceof WeftError && isNobodyLeft(error.code)) return undefined
    throw error
  }
}
