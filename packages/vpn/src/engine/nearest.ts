import type { Clock, Random } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { drawCandidates, likelyRegions } from '../route/nearest-candidates.ts'
import { type MeasuredWay, NearestExits } from '../route/nearest-exits.ts'
import { type Region, regionOf } from '../route/regions.ts'
import type { RouteMember } from '../route/route-member.ts'
import type { TimedStream } from '../route/target-times.ts'

/** A TCP target of a stream. */
export interface NearTarget {
  readonly host: string
  readonly port: number
}

export interface NearestInit {
  readonly clock: Clock
  readonly random: Random
  /** Exits that may be asked: not this node itself, nor those that failed lately. */
  readonly exits: () => readonly RouteMember[]
  /** The exit in use: it hears of the target anyway. */
  readonly inUse: () => DidKey | undefined
  /** Exits that circuits of the same isolation key lead to. */
  readonly standing: () => readonly DidKey[]
  /** Has an exit measure the way to a target; undefined where it does not, or in time. */
  readonly measure: (exit: RouteMember, target: NearTarget, signal: AbortSignal) => Promise<MeasuredWay | undefined>
}

/** Exits that are asked about a target, that in use included: of different regions first, then one where by these answers the target is likely to be. */
const FIRST_ASKED = 4
const THEN_ASKED = 1
/** Targets that wait while exits are asked about another one; what is beyond goes as by `auto`, and is asked for when it is used again. */
const MAX_WAITING = 16

/**
 * Tells which exits are near to a target, and has exits measure that where it is not known (exit wish `nearest`). For routes of one isolation key: what one
 * learns no other is told. Nobody waits for it: what is not known yet goes as by `auto`. One target is asked about at a time.
 */
export class Nearest {
  readonly #init: NearestInit
  readonly #exits: NearestExits
  readonly #waiting: NearTarget[] = []
  readonly #ended = new AbortController()
  #isAsking = false

  constructor(init: NearestInit) {
    this.#init = init
    this.#exits = new NearestExits(init.clock)
  }

  /**
   * The exits that are near to a target, by ms: `nearestMs` of PathWishes. Undefined where it is not known; then exits are asked from now on, if there are two.
   * @param without exits that do not serve at the moment
   */
  of(target: NearTarget, without?: ReadonlySet<DidKey>): ReadonlyMap<DidKey, number> | undefined {
    const { host } = target
    if (this.#exits.has(host)) return this.#exits.of(host, without)
    // Fewer than two tell nothing, and what is known of a target is kept: further ones may come.
    if (this.#waiting.length < MAX_WAITING && !this.#ended.signal.aborted && this.#candidates().length > 1) {
      this.#exits.begin(host)
      this.#waiting.push(target)
      void this.#askAll()
    }
    return undefined
  }

  /** A stream went through an exit, see {@link NearestExits.learn}: an exit that said it is nearer than it is loses by that. */
  learn(host: string, exit: DidKey, timed: TimedStream): void {
    this.#exits.learn(host, exit, timed)
  }

  /** As {@link NearestExits.isDoubted}. */
  isDoubted(exit: DidKey): boolean {
    return this.#exits.isDoubted(exit)
  }

  close(): void {
    this.#waiting.length = 0
    this.#ended.abort()
  }

  async #askAll(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    for (let target = this.#waiting.shift(); target !== undefined; target = this.#waiting.shift())
      this.#exits.set(target.host, await this.#waysTo(target))
    this.#isAsking = false
  }

  async #waysTo(target: NearTarget): Promise<ReadonlyMap<DidKey, MeasuredWay>> {
    const asked: RouteMember[] = []
    const ways = new Map<DidKey, MeasuredWay>()
    const ask = async (exits: readonly RouteMember[]): Promise<void> => {
      asked.push(...exits)
      const found = await Promise.all(exits.map(async (exit) => ({ exit, way: await this.#measure(exit, target) })))
      for (const { exit, way } of found) if (way !== undefined) ways.set(exit.id, way)
    }
    const inUse = this.#init.inUse()
    const first = this.#candidates().filter(({ id }) => id === inUse)
    await ask([...first, ...this.#draw(FIRST_ASKED - first.length, first)])
    const found = asked.flatMap(({ id, country }) => {
      const way = ways.get(id)
      return way === undefined ? [] : { region: regionOf(country), ms: way.exitMs }
    })
    const [likely] = likelyRegions(this.#candidates(), found)
    if (found.length > 0) await ask(this.#draw(THEN_ASKED, asked, likely))
    return ways
  }

  #measure(exit: RouteMember, target: NearTarget): Promise<MeasuredWay | undefined> {
    const { signal } = this.#ended
    return signal.aborted ? Promise.resolve(undefined) : this.#init.measure(exit, target, signal)
  }

  #candidates(): RouteMember[] {
    return this.#init.exits().filter(({ roles, id }) => roles.includes('exit') && !this.#exits.isDoubted(id))
  }

  /** @param region where they are to be; undefined for all */
  #draw(count: number, asked: readonly RouteMember[], region?: Region): RouteMember[] {
    const { random, standing } = this.#init
    const isThere = ({ country }: RouteMember): boolean => region === undefined || regionOf(country) === region
    const wishes = { count, asked, standing: new Set(standing()) }
    return drawCandidates(this.#candidates().filter(isThere), wishes, random)
  }
}
