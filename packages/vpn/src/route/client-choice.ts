import type { Clock, Random } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { RouteProfile } from '../profile/route-profile.ts'
import { parseExitWish } from './exit-wish.ts'
import type { GuardState } from './guard-state.ts'
import type { ChoiceQuestion, GuardStatus, LegChoice } from '../vpn.ts'
import { ChoiceRecords } from './choice-records.ts'
import { Guards } from './guards.ts'
import { LearnedMeasures, type MeasuredHop } from './learned-measures.ts'
import { PathChooser } from './path-chooser.ts'
import type { PathWishes } from './path-wishes.ts'
import type { RouteMember } from './route-member.ts'
import { RouteTable } from './route-table.ts'

export interface ClientChoiceInit {
  /** This node itself: never part of its own routes. */
  readonly self: DidKey
  readonly clock: Clock
  readonly random: Random
  readonly guards: GuardState | undefined
  readonly profile: RouteProfile
  /** Entries that the network around seems not to lead to just now: others are guards then, as long as there are any. */
  readonly unlikely?: () => ReadonlySet<DidKey>
  /** Keeps the guards for the next start. */
  readonly keepGuards: (state: GuardState) => void
}

/** What one route of the client's asks beside what all of them do. */
export interface RouteWishes extends Pick<PathWishes, 'end' | 'busy' | 'failed' | 'called'> {
  /** ms from exits to a target, there and back: one of these exits is taken. */
  readonly nearestMs?: ReadonlyMap<DidKey, number>
  /** Exits of other path sets, which another one is to stand beside. */
  readonly notExits?: ReadonlySet<DidKey>
  /** One more leg of a path set: its exit, and the nodes of its legs, each from the entry on. */
  readonly beside?: { readonly exit: DidKey; readonly legs: readonly (readonly DidKey[])[] }
}

export interface ChosenRoute {
  readonly hops: readonly RouteMember[]
}

/** Which nodes the routes of one client go over: what the map and others say of them, what it measured, its guards, and what its user asks for. */
export class ClientChoice {
  readonly #init: ClientChoiceInit
  readonly #guards: Guards
  #kept: number
  #profile: RouteProfile
  #table = new RouteTable([])
  #load: ReadonlyMap<DidKey, number> = new Map()
  #unlikely: ReadonlySet<DidKey> = new Set()
  readonly #learned: LearnedMeasures
  readonly #records = new ChoiceRecords()
  #chooser: PathChooser | undefined
  /** Monotonic ms: when it was made; and whether more is known since. */
  #chooserAt = 0
  #isBehind = false
  #guardsAreOld = true

  constructor(init: ClientChoiceInit) {
    this.#init = init
    this.#learned = new LearnedMeasures(init.clock, (id) => this.#table.indexOf(id) !== undefined)
    this.#profile = init.profile
    this.#guards = new Guards({ state: init.guards, random: init.random, clock: init.clock })
    this.#kept = this.#guards.revision
  }

  get members(): readonly RouteMember[] {
    return this.#table.members
  }

  /** The one with this id; undefined where the map has none. */
  member(id: DidKey): RouteMember | undefined {
    const at = this.#table.indexOf(id)
    return at === undefined ? undefined : this.#table.members[at]
  }

  get guards(): readonly GuardStatus[] {
    return this.#guards.status()
  }

  /** How the hops of a leg were chosen: those that {@link choose} handed out, themselves. */
  describe(hops: readonly RouteMember[], question: ChoiceQuestion): Pick<LegChoice, 'chosenAt' | 'hops'> | undefined {
    return this.#records.describe(hops, question)
  }

  setMembers(members: readonly RouteMember[]): void {
    this.#table = new RouteTable(members)
    this.#learned.forgetOthers()
    this.#chooser = undefined
    this.#guardsAreOld = true
  }

  setLoads(load: ReadonlyMap<DidKey, number>): void {
    this.#load = load
    this.#chooser = undefined
  }

  setProfile(profile: RouteProfile): void {
    this.#profile = profile
  }

  /** @throws WeftError E_NO_EXIT, E_NO_RELAY, E_NO_ENTRY */
  choose({ end = 'exit', nearestMs, notExits, beside, busy, failed, called }: RouteWishes): ChosenRoute {
    const { self, random } = this.#init
    this.#look()
    const { first, others } = this.#guards.entries()
    const never = new Set([self, ...(notExits ?? [])])
    const wishes: PathWishes = {
      end,
      hops: end === 'exit' ? this.#profile.hops : SERVICE_HOPS,
      exit: beside === undefined ? this.#exitFor(end) : { kind: 'node', id: beside.exit },
      ...(nearestMs === undefined ? {} : { nearestMs }),
      entries: first,
      lastEntries: others,
      beside: beside?.legs ?? [],
      never,
      // Its guards are spared as relays: each is to begin a leg of its own.
      busy: new Set([...(busy ?? []), ...first]),
      failed: failed ?? [],
      called: called ?? NOBODY,
    }
    const leg = this.#of().choose(wishes, random)
    const hops = leg.hops.map(({ member }) => member)
    this.#records.keep(hops, { at: this.#init.clock.now(), positions: leg.explain() })
    return { hops }
  }

  /** What a leg measured of its hops, from the entry on; it counts for some minutes. */
  learn(hops: readonly MeasuredHop[]): void {
    this.#learned.learn(hops)
    this.#isBehind = true
  }

  onAnswered(entry: DidKey): void {
    this.#guards.onAnswered(entry)
    this.#keep()
  }

  /** It did not answer itself, as far as is known. */
  onSilent(entry: DidKey): void {
    this.#guards.onSilent(entry)
  }

  /** As {@link Guards.onHeld}. */
  onHeld(entry: DidKey): void {
    this.#guards.onHeld(entry)
  }

  /** As {@link Guards.onLost}. */
  onLost(entry: DidKey, held: boolean): boolean {
    return this.#guards.onLost(entry, held)
  }

  /** The overlay reached a member again. */
  onReachable(id: DidKey): void {
    this.#guards.onReachable(id)
  }

  #exitFor(end: 'exit' | 'service'): PathWishes['exit'] & {} {
    if (end === 'service') return { kind: 'auto' }
    const wish = parseExitWish(this.#profile.exit)
    // A profile names a node by its whole id (docs/specs/profiles.md).
    return wish.kind === 'suffix' ? { kind: 'auto' } : wish
  }

  #of(): PathChooser {
    const now = this.#init.clock.monotonic()
    if (this.#learned.forgetOld()) this.#isBehind = true
    if (this.#isBehind && now - this.#chooserAt >= RENEW_MS) this.#chooser = undefined
    if (this.#chooser !== undefined) return this.#chooser
    this.#chooserAt = now
    this.#isBehind = false
    const capacity = new Map(
      this.#table.members.flatMap(({ id, bandwidthMbps }) =>
        bandwidthMbps === undefined ? [] : [[id, bandwidthMbps] as const],
      ),
    )
    const { measures } = this.#learned
    return (this.#chooser = new PathChooser(this.#table, { load: this.#load, capacity, ...measures }))
  }

  #look(): void {
    const unlikely = this.#init.unlikely?.() ?? NOBODY
    const isSame = unlikely.size === this.#unlikely.size && unlikely.isSubsetOf(this.#unlikely)
    if (isSame && !this.#guardsAreOld) return
    this.#unlikely = unlikely
    this.#guardsAreOld = false
    this.#guards.update(this.#table, new Set([this.#init.self]), (id) => !this.#unlikely.has(id))
    this.#keep()
  }

  #keep(): void {
    if (this.#guards.revision === this.#kept) return
    this.#kept = this.#guards.revision
    this.#init.keepGuards(this.#guards.state)
  }
}

/** ms between two makings of a chooser for what was measured: with 10,000 members it takes some 10. */
const RENEW_MS = 30_000
/** Of routes to services of members. */
const SERVICE_HOPS = 3
const NOBODY: ReadonlySet<DidKey> = new Set()
