import { type Clock, type Random, randomInt } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { GuardStatus } from '../vpn.ts'
import { GuardConduct } from './guard-conduct.ts'
import { GuardReach } from './guard-reach.ts'
import { type Guard, type GuardState, MAX_SAMPLED } from './guard-state.ts'
import { LIFETIME_MS, UNLISTED_MS, guardStatus } from './guard-status.ts'
import { NEVER } from './route-flags.ts'
import { RouteMarks } from './route-marks.ts'
import { weighMembers } from './route-measures.ts'
import { ENTRY, type RouteTable } from './route-table.ts'
import { type DrawWeights, WeightedDraw } from './weighted-draw.ts'

const DAY = 24 * 60 * 60_000
/** Entries that legs begin at. */
const PRIMARY = 3
/** Guards that are kept, of the map and callable: those three, and as many that take their place. An attacker who blocks entries gets a client no further. */
const USABLE = 6
/** Guards at once, those that left the map included: this part of all entries, between two bounds. */
const SAMPLED_PART = 0.2
const SAMPLED_AT_LEAST = 12
/** Their time begins up to this long before they were drawn, so that nobody sees by its end when that was. */
const JITTER_MS = 12 * DAY
/** One guard is given up in this time, by either clock: whoever sets the clock of this machine, or changes the map, exchanges no more. */
const LEAVE_MS = DAY
/** Of a time that lies ahead: another clock's, not this one's. */
const AHEAD_MS = DAY
/** A second region is asked for where this part of all entries is outside of the first: less of them would be too likely, each of them. */
const OTHER_REGION_PART = 1 / 3

export interface GuardsInit {
  /** Undefined at the first start. */
  readonly state: GuardState | undefined
  readonly random: Random
  readonly clock: Clock
}

export interface GuardEntries {
  /** Where legs begin, the first that fits first: the primaries that are neither silent nor doubted, and others in place of those that are. */
  readonly first: readonly DidKey[]
  /** Other guards, for where none of those fits or answers. Nothing beside them is an entry of this client. */
  readonly others: readonly DidKey[]
}

/**
 * The entries of one client, for all its routes: a few that it keeps for months, so that a hostile one is either there from the start or, most likely, never. After Tor's
 * guard specification (proposal 271): a sample that grows only as it must, of it those that answered, and of these the primary ones. No input or output:
 * the caller keeps `state` whenever `revision` has changed.
 */
export class Guards {
  readonly #random: Random
  readonly #clock: Clock
  readonly #reach = new GuardReach()
  readonly #conduct = new GuardConduct()
  #guards: readonly Guard[]
  #lastLeft: number | undefined
  /** Monotonic ms: when one was given up in this run. */
  #leftAt: number | undefined
  #revision = 0
  #table: RouteTable | undefined
  #isUsable: (id: DidKey) => boolean = () => true
  #primary: readonly DidKey[] = []

  constructor({ state, random, clock }: GuardsInit) {
    this.#random = random
    this.#clock = clock
    this.#guards = state?.guards ?? []
    this.#lastLeft = state?.lastLeft
  }

  get state(): GuardState {
    return { guards: this.#guards, lastLeft: this.#lastLeft }
  }

  /** Another number whenever `state` is another. */
  get revision(): number {
    return this.#revision
  }

  /**
   * To be called with each map, and when what can be called changed.
   * @param never this node itself
   * @param canCall false for entries that the network around does not lead to: none is drawn among them as long as there are others
   */
  update(table: RouteTable, never: ReadonlySet<DidKey>, canCall: (id: DidKey) => boolean = () => true): void {
    // Without a map nothing is known of any of them.
    if (table.size === 0) return
    this.#table = table
    const isListed = (id: DidKey): boolean => {
      const at = table.indexOf(id)
      return at !== undefined && !never.has(id) && ((table.roles[at] as number) & ENTRY) !== 0
    }
    this.#isUsable = (id) => isListed(id) && canCall(id)
    this.#settleTimes()
    this.#list(isListed)
    this.#giveUp(isListed)
    this.#sample(table, never, canCall)
    this.#choosePrimary(table)
  }

  /** Where legs begin now. */
  entries(): GuardEntries {
    const now = this.#clock.monotonic()
    const usable = this.#guards.map(({ id }) => id).filter((id) => this.#isUsable(id))
    const isOther = (id: DidKey): boolean => !this.#primary.includes(id)
    const isDoubted = (id: DidKey): boolean => this.#isDoubted(id, now)
    const answering = (id: DidKey): boolean => !this.#reach.isSilent(id, now)
    const inOrder = [...this.#primary, ...usable.filter(isOther)]
    const ready = inOrder.filter((id) => answering(id) && !isDoubted(id))
    const silent = usable
      .filter((id) => !answering(id) && !isDoubted(id))
      .toSorted((a, b) => this.#reach.retryAt(a) - this.#reach.retryAt(b))
    const doubted = inOrder.filter(isDoubted)
    // Those that cannot be called as far as is known are tried when all else has failed.
    const rest = this.#guards
      .map(({ id }) => id)
      .filter((id) => !usable.includes(id) && this.#table?.indexOf(id) !== undefined)
    return { first: ready.slice(0, PRIMARY), others: [...ready.slice(PRIMARY), ...silent, ...doubted, ...rest] }
  }

  /** A circuit over it was built, or its link made. */
  onAnswered(id: DidKey): void {
    this.#reach.onAnswered(id, this.#clock.monotonic())
    const guard = this.#guards.find((each) => each.id === id)
    if (guard === undefined || guard.confirmed) return
    const others = this.#guards.filter((each) => each !== guard)
    const confirmed = others.filter((each) => each.confirmed)
    const now = { ...guard, confirmed: true, since: this.#since() }
    this.#set([...confirmed, now, ...others.slice(confirmed.length)])
    if (this.#table !== undefined) this.#choosePrimary(this.#table)
  }

  /** It did not answer: not one of a later hop, and not for want of a network where that is known. */
  onSilent(id: DidKey): void {
    if (!this.#guards.some((guard) => guard.id === id)) return
    this.#reach.onSilent(id, this.#primary.includes(id), this.#clock.monotonic())
  }

  /** The overlay reached it again: it is worth a try at once. */
  onReachable(id: DidKey): void {
    this.#reach.onReachable(id)
  }

  /** A circuit that goes on from it stands. */
  onHeld(id: DidKey): void {
    if (this.#guards.some((guard) => guard.id === id)) this.#conduct.onHeld(id, this.#clock.monotonic())
  }

  /**
   * A circuit that it answered for did not come about or did not stay, and it is not known that a node behind it is gone.
   * @param held it was counted as one that stands before
   * @returns whether it is doubted since this one
   */
  onLost(id: DidKey, held: boolean): boolean {
    if (!this.#guards.some((guard) => guard.id === id)) return false
    const now = this.#clock.monotonic()
    const before = this.#isDoubted(id, now)
    this.#conduct.onLost(id, held, now)
    return !before && this.#isDoubted(id, now)
  }

  /** In their order; what answers is told as far as it is known since this start. */
  status(): readonly GuardStatus[] {
    const now = this.#clock.monotonic()
    const wallAhead = Math.floor(this.#clock.now()) - now
    return this.#guards.map((guard) => {
      const { id } = guard
      const retryAt = this.#reach.isSilent(id, now) ? Math.ceil(wallAhead + this.#reach.retryAt(id)) : undefined
      const isDoubted = this.#isDoubted(id, now)
      return guardStatus(guard, {
        primary: this.#primary.includes(id),
        isUsable: this.#isUsable(id),
        isDoubted,
        retryAt,
      })
    })
  }

  #isDoubted(id: DidKey, now: number): boolean {
    return this.#conduct.isDoubted(id, this.#primary, now)
  }

  #since(): number {
    return Math.max(0, Math.floor(this.#clock.now()) - randomInt(this.#random, JITTER_MS))
  }

  #set(guards: readonly Guard[]): void {
    this.#guards = guards
    this.#revision++
  }

  /** Times that lie ahead are of a clock that was wrong: with them a guard would stay for ever. */
  #settleTimes(): void {
    const now = Math.floor(this.#clock.now())
    const isAhead = (time: number | undefined): boolean => time !== undefined && time > now + AHEAD_MS
    if (this.#guards.some(({ since, unlistedSince }) => isAhead(since) || isAhead(unlistedSince)))
      this.#set(
        this.#guards.map((guard) => ({
          ...guard,
          since: isAhead(guard.since) ? this.#since() : guard.since,
          unlistedSince: isAhead(guard.unlistedSince) ? now : guard.unlistedSince,
        })),
      )
    if (!isAhead(this.#lastLeft)) return
    this.#lastLeft = now
    this.#revision++
  }

  #list(isListed: (id: DidKey) => boolean): void {
    const now = Math.floor(this.#clock.now())
    const isRight = (guard: Guard): boolean => isListed(guard.id) === (guard.unlistedSince === undefined)
    if (this.#guards.every(isRight)) return
    this.#set(
      this.#guards.map((guard) =>
        isRight(guard) ? guard : { ...guard, unlistedSince: guard.unlistedSince === undefined ? now : undefined },
      ),
    )
  }

  /** One whose time is over, or that has been out of the map for long; where there is nobody else, one that just left it. */
  #giveUp(isListed: (id: DidKey) => boolean): void {
    const now = this.#clock.now()
    const ranSince = this.#clock.monotonic() - (this.#leftAt ?? -Infinity)
    if (ranSince < LEAVE_MS || now - (this.#lastLeft ?? -Infinity) < LEAVE_MS) return
    const unlisted = this.#guards
      .filter(({ unlistedSince }) => unlistedSince !== undefined)
      .toSorted((a, b) => (a.unlistedSince ?? 0) - (b.unlistedSince ?? 0))
    const [longest] = unlisted
    const isFull = this.#guards.length >= this.#mostSampled() && !this.#guards.some(({ id }) => isListed(id))
    const away = longest !== undefined && (isFull || now - (longest.unlistedSince ?? 0) >= UNLISTED_MS)
    const left = away ? longest : this.#guards.find(({ since }) => now - since >= LIFETIME_MS)
    if (left === undefined) return
    this.#lastLeft = Math.floor(now)
    this.#leftAt = this.#clock.monotonic()
    this.#set(this.#guards.filter((guard) => guard !== left))
  }

  #mostSampled(): number {
    const entries = this.#table?.withRole(ENTRY).length ?? 0
    return Math.min(MAX_SAMPLED, Math.max(SAMPLED_AT_LEAST, Math.ceil(SAMPLED_PART * entries)))
  }

  #sample(table: RouteTable, never: ReadonlySet<DidKey>, canCall: (id: DidKey) => boolean): void {
    const usable = (): number => this.#guards.filter(({ id }) => this.#isUsable(id)).length
    if (usable() >= USABLE) return
    const draw = new GuardDraw(table, this.#random)
    while (usable() < USABLE && this.#guards.length < this.#mostSampled()) {
      const taken = this.#guards.map(({ id }) => id)
      // Where fewer can be called, as far as is known, others are drawn all the same: some are needed when all of those fail.
      const next =
        draw.next(taken, (id) => !never.has(id) && canCall(id)) ??
        (taken.length < USABLE ? draw.next(taken, (id) => !never.has(id)) : undefined)
      if (next === undefined) return
      this.#set([...this.#guards, { id: next, since: this.#since(), confirmed: false, unlistedSince: undefined }])
    }
  }

  /** The first three in their order that differ in family and network, the third in another region where enough entries are elsewhere. */
  #choosePrimary(table: RouteTable): void {
    const places = this.#guards.flatMap(({ id }) => (this.#isUsable(id) ? (table.indexOf(id) ?? []) : []))
    const marks = new RouteMarks(table)
    const chosen: number[] = []
    while (chosen.length < Math.min(PRIMARY, places.length)) {
      marks.mark(chosen, [])
      const left = places.filter((at) => !chosen.includes(at))
      const fitting = left.filter((at) => marks.fits(at))
      const elsewhere = fitting.filter((at) => isElsewhere(table, chosen, at))
      chosen.push((elsewhere[0] ?? fitting[0] ?? left[0]) as number)
    }
    this.#primary = chosen.map((at) => table.members[at]?.id as DidKey)
  }
}

/** Two stand in one region, this one would not, and enough entries are outside of that region. */
function isElsewhere(table: RouteTable, chosen: readonly number[], at: number): boolean {
  const home = homeRegion(table, chosen)
  return home !== undefined && table.region[at] !== home && isOptional(table, home)
}

/** The region of two or more that are all in one. */
function homeRegion({ region }: RouteTable, places: readonly number[]): number | undefined {
  const [first] = places
  if (first === undefined || places.length < PRIMARY - 1) return undefined
  return places.every((at) => region[at] === region[first]) ? region[first] : undefined
}

/** Entries of this region can be done without: enough of all are elsewhere. */
function isOptional(table: RouteTable, home: number): boolean {
  const all = table.withRole(ENTRY)
  return all.filter((at) => table.region[at] !== home).length >= OTHER_REGION_PART * all.length
}

/** Draws entries one by one, each unlike those that are there: of another family, network and AS where the map has one. */
class GuardDraw {
  readonly #table: RouteTable
  readonly #random: Random
  readonly #draw: WeightedDraw
  readonly #marks: RouteMarks
  readonly #weights: DrawWeights
  readonly #flags: Uint8Array

  constructor(table: RouteTable, random: Random) {
    this.#table = table
    this.#random = random
    this.#draw = new WeightedDraw(table.size)
    this.#marks = new RouteMarks(table)
    const own = weighMembers(table, {}).other
    this.#weights = { own, ownLog: own.map((each) => Math.log2(each)), region: table.region, place: undefined }
    this.#flags = new Uint8Array(table.size)
  }

  next(taken: readonly DidKey[], mayBe: (id: DidKey) => boolean): DidKey | undefined {
    const table = this.#table
    const places = taken.flatMap((id) => table.indexOf(id) ?? [])
    const pool = table.withRole(ENTRY).filter((at) => mayBe(table.members[at]?.id as DidKey))
    const elsewhere = this.#elsewhere(pool, places)
    return this.#from(elsewhere, places, []) ?? this.#from(pool, places, []) ?? this.#from(pool, [], places)
  }

  /** Entries of other regions, where all that are there are of one and enough are elsewhere. */
  #elsewhere(pool: Int32Array, places: readonly number[]): Int32Array {
    const home = homeRegion(this.#table, places)
    if (home === undefined || !isOptional(this.#table, home)) return new Int32Array()
    return pool.filter((at) => this.#table.region[at] !== home)
  }

  #from(pool: Int32Array, unlike: readonly number[], notAgain: readonly number[]): DidKey | undefined {
    this.#marks.mark(unlike, notAgain)
    const drawn = this.#draw.draw(pool, this.#flags, NEVER, this.#marks, this.#weights, this.#random)
    return drawn === undefined ? undefined : this.#table.members[drawn.at]?.id
  }
}
