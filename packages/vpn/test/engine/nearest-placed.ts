import { type Random, VirtualClock, randomInt, seededRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { Nearest, type NearTarget } from '../../src/engine/nearest.ts'
import { PathChooser } from '../../src/route/path-chooser.ts'
import { type Region, REGIONS, guessedMs, regionOf } from '../../src/route/regions.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { RouteTable } from '../../src/route/route-table.ts'
import { makeMember } from '../route/make-member.ts'

const COUNTRY: Readonly<Record<Region, string>> = { na: 'US', eu: 'DE', as: 'JP', oc: 'AU', sa: 'BR', rest: 'ZA' }
/** Nodes of each region. */
const NODES: Readonly<Record<Region, number>> = { na: 15, eu: 24, as: 9, oc: 4, sa: 4, rest: 4 }
/** ms there and back between two nodes of one region, apart from their own lines; and of each line. */
const WITHIN_MS = 4
const LINE_MS = 8
/** Ways between regions are this much longer or shorter than guessed. */
const OFF = 0.3

const fraction = (random: Random): number => randomInt(random, 1_000_000) / 1_000_000

/** What an exit says in place of what it measured. */
export type Lie = (exit: RouteMember, ms: number) => number

/**
 * A network of 60 nodes with places: ms there and back between any two, and targets; routes are chosen as the product does, each hop taking its time. Ways
 * between regions are up to 30 % off what a client guesses.
 */
export class PlacedExits {
  readonly clock = new VirtualClock(0, () => new Promise((resolve) => setImmediate(resolve)))
  readonly members: readonly RouteMember[]
  readonly nearest: Nearest
  /** Questions that exits were asked, by target. */
  readonly asked = new Map<string, DidKey[]>()
  inUse: RouteMember
  readonly #random: Random
  readonly #chooser: PathChooser
  readonly #lines = new Map<string, number>()
  readonly #between: readonly (readonly number[])[]
  readonly #home: Region = 'eu'

  constructor(seed: number, lie: Lie = (_, ms) => ms) {
    const random = seededRandom(seed)
    this.#random = random
    let index = 0
    this.members = REGIONS.flatMap((region) =>
      Array.from({ length: NODES[region] }, () =>
        makeMember(++index, ['entry', 'relay', 'exit'], { country: COUNTRY[region] }),
      ),
    )
    const off = REGIONS.map(() => REGIONS.map(() => 1 - OFF + 2 * OFF * fraction(random)))
    this.#between = REGIONS.map((_, one) =>
      REGIONS.map(
        (__, other) =>
          guessedMs(one, other) * ((off[Math.min(one, other)] as number[])[Math.max(one, other)] as number),
      ),
    )
    this.#chooser = new PathChooser(new RouteTable(this.members))
    this.inUse = this.choose(undefined)
    this.nearest = new Nearest({
      clock: this.clock,
      random,
      exits: () => this.members,
      inUse: () => this.inUse.id,
      standing: () => [],
      measure: (exit, target) => {
        this.asked.set(target.host, [...(this.asked.get(target.host) ?? []), exit.id])
        const exitMs = lie(exit, this.toTarget(exit, target))
        const clientMs = this.toExit(exit)
        const { promise, resolve } = Promise.withResolvers<{ exitMs: number; clientMs: number }>()
        this.clock.after(2 * clientMs + 3 * exitMs, () => resolve({ exitMs, clientMs }))
        return promise
      },
    })
  }

  /** The exit of a route, as the product chooses it. */
  choose(target: NearTarget | undefined): RouteMember {
    const nearestMs = target === undefined ? undefined : this.nearest.of(target)
    const wish = { kind: target === undefined ? ('auto' as const) : ('nearest' as const) }
    const wishes = { exit: wish, ...(nearestMs === undefined ? {} : { nearestMs }) }
    return this.#chooser.choose(wishes, this.#random).hops.at(-1)?.member as RouteMember
  }

  /** Exits that are not believed any more. */
  get doubted(): number {
    return this.members.filter(({ id }) => this.nearest.isDoubted(id)).length
  }

  /** One in this region. */
  target(region: Region, name: string): NearTarget {
    return { host: `${name}.${region}.test`, port: 443 }
  }

  /** ms there and back. */
  toTarget(exit: RouteMember, { host }: NearTarget): number {
    return this.#ms(exit.id, regionOf(exit.country), host, host.split('.')[1] as Region)
  }

  /** ms there and back over a route to this exit, drawn anew. */
  toExit(exit: RouteMember): number {
    const { hops } = this.#chooser.choose({ exit: { kind: 'node', id: exit.id } }, this.#random)
    let ms = 0
    let from: readonly [string, Region] = ['client', this.#home]
    for (const { member } of hops) {
      const to = [member.id, regionOf(member.country)] as const
      ms += this.#ms(...from, ...to)
      from = to
    }
    return ms
  }

  #ms(one: string, oneRegion: Region, other: string, otherRegion: Region): number {
    const way = (this.#between[REGIONS.indexOf(oneRegion)] as number[])[REGIONS.indexOf(otherRegion)] as number
    return (oneRegion === otherRegion ? WITHIN_MS : way) + this.#line(one) + this.#line(other)
  }

  #line(name: string): number {
    const ms = this.#lines.get(name) ?? LINE_MS * fraction(this.#random)
    this.#lines.set(name, ms)
    return ms
  }
}
