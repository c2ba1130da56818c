import type { Random } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { type ExitPool, exitPool } from './exit-pool.ts'
import type { Gap, Position, PositionTerms } from './path-position.ts'
import type { PathNote } from './path-set.ts'
import type { PathWishes } from './path-wishes.ts'
import type { PlaceFactors, PlaceWeights } from './place-weights.ts'
import { AVOIDED, BUSY, CALLED, FAILED, NEVER, type RouteFlags } from './route-flags.ts'
import type { RouteMarks } from './route-marks.ts'
import type { MemberWeights } from './route-measures.ts'
import { ENTRY, RELAY, type RouteTable } from './route-table.ts'
import { type DrawWeights, type Drawn, LEFT, type WeightedDraw } from './weighted-draw.ts'

export interface DraftParts {
  readonly table: RouteTable
  readonly weights: MemberWeights
  /** log2 of the weights. */
  readonly lastLog: Float64Array
  readonly otherLog: Float64Array
  readonly places: PlaceWeights
  readonly flags: RouteFlags
  readonly marks: RouteMarks
  readonly draw: WeightedDraw
}

const ALWAYS_OUT = NEVER | AVOIDED | FAILED
/** What keeps members out, in the order in which it is given up: nodes of other routes serve where there are no others. */
const OUT = [ALWAYS_OUT | BUSY | LEFT, ALWAYS_OUT | LEFT] as const
/** Guards are those of all routes. */
const GUARDS_OUT = [ALWAYS_OUT | CALLED | LEFT, ALWAYS_OUT | CALLED] as const

const COST: Readonly<Record<PathNote['kind'], number>> = { 'leg-missing': 100, 'relay-shared': 10, 'legs-related': 1 }

/** A position, apart from beside whom and under which flags it is drawn. */
type Place = Pick<PositionTerms, 'leg' | 'hop' | 'role' | 'pool' | 'weights'>

/** A set of legs that is being drawn. */
export class PathDraft {
  readonly legs: Position[][] = []
  readonly notes: PathNote[] = []
  readonly #parts: DraftParts
  readonly #wishes: PathWishes
  readonly #random: Random
  readonly #exits: ExitPool
  /** Places of entries and relays of legs that stay. */
  readonly #beside: readonly number[]

  constructor(parts: DraftParts, wishes: PathWishes, random: Random) {
    this.#parts = parts
    this.#wishes = wishes
    this.#random = random
    this.#exits = exitPool(parts.table, wishes, (at) => (parts.flags.at(at) & ALWAYS_OUT) !== 0)
    this.#beside = (wishes.beside ?? []).flatMap((ids) => this.#placesOf(ids.slice(0, -1)))
  }

  /** The more, the worse: legs that are missing, then nodes that are shared or related. */
  get shortcoming(): number {
    return this.notes.reduce((sum, { kind }) => sum + COST[kind], 0)
  }

  /** @returns the position that nobody can take; undefined when there is a leg */
  fill(): Gap | undefined {
    let entries = this.#entries(undefined)
    let exit = this.#exit(entries)
    if ('nobody' in exit && entries.length > 0) {
      // None stands beside all of these entries: it comes first then, and entries are found that stand beside it.
      exit = this.#exit([])
      if (!('nobody' in exit)) entries = this.#entries(exit)
    }
    if ('nobody' in exit) return exit
    if (entries.length === 0)
      return { nobody: this.#entryLadder(this.#wishes.entries, 0, exit, []).at(-1) as PositionTerms }
    return this.#fillLegs(entries, exit)
  }

  #fillLegs(entries: readonly Position[], exit: Position): Gap | undefined {
    for (const entry of entries) {
      const leg = this.legs.length
      const others = [...entries.filter((each) => each !== entry), ...this.legs.flatMap((each) => each.slice(1, -1))]
      const taken = [...this.#beside, ...others.map(({ drawn }) => drawn.at)]
      const positions: (Position | Gap)[] = [entry]
      const hops = this.#wishes.hops ?? 3
      while (positions.length < hops - 1 && !positions.some((each) => 'nobody' in each))
        positions.push(this.#relay(leg, positions as Position[], exit, taken, positions.length === hops - 2))
      const gap = positions.find((each) => 'nobody' in each)
      // The first leg is the route; any other may be missing.
      if (gap !== undefined && leg === 0 && entry === entries.at(-1)) return gap
      if (gap === undefined)
        this.legs.push([...(positions as Position[]), { ...exit, hop: hops - 1 }].map((each) => ({ ...each, leg })))
    }
    this.#note()
    return undefined
  }

  /** Where the map did not allow what was wanted. */
  #note(): void {
    for (let leg = this.legs.length; leg < this.#wanted; leg++) this.notes.push({ kind: 'leg-missing', leg, node: '' })
    for (const [leg, positions] of this.legs.entries()) {
      const others = [
        ...this.#beside,
        ...this.legs
          .slice(0, leg)
          .flat()
          .filter(({ role }) => role !== 'exit')
          .map(({ drawn }) => drawn.at),
      ]
      this.#parts.marks.mark(others, [])
      for (const { role, drawn } of positions) {
        const node = this.#parts.table.members[drawn.at]?.id
        const conflict = role === 'exit' ? undefined : this.#parts.marks.conflict(drawn.at)
        if (node !== undefined && conflict !== undefined)
          this.notes.push({ kind: conflict.why === 'chosen' ? 'relay-shared' : 'legs-related', leg, node })
      }
    }
  }

  get #wanted(): number {
    const { legs = 1, spare = false } = this.#wishes
    return legs + (spare ? 1 : 0)
  }

  #entries(exit: Position | undefined): Position[] {
    const { entries, lastEntries } = this.#wishes
    const found = this.#entriesOf(entries, exit, this.#wanted)
    return found.length > 0 || lastEntries === undefined ? found : this.#entriesOf(lastEntries, exit, 1)
  }

  #entriesOf(guards: readonly DidKey[] | undefined, exit: Position | undefined, most: number): Position[] {
    const found: Position[] = []
    while (found.length < most) {
      const others = [...this.#beside, ...found.map(({ drawn }) => drawn.at)]
      const position = this.#firstThat(this.#entryLadder(guards, found.length, exit, others), (terms) =>
        guards === undefined ? this.#draw(terms) : this.#inOrder(terms),
      )
      if ('nobody' in position) break
      found.push(position)
    }
    return found
  }

  #entryLadder(
    guards: readonly DidKey[] | undefined,
    leg: number,
    exit: Position | undefined,
    others: readonly number[],
  ): PositionTerms[] {
    const own = exit === undefined ? [] : [exit.drawn.at]
    const drawn = guards === undefined ? { weights: () => this.#weightsOf(false, undefined) } : {}
    const place = { leg, hop: 0, role: 'entry' as const, pool: this.#entryPool(guards), ...drawn }
    const outs = guards === undefined ? OUT.map((out) => out | CALLED) : GUARDS_OUT
    return [
      ...ladder(place, outs, [...own, ...others], []),
      ...(others.length > 0 ? ladder(place, outs, own, others) : []),
    ]
  }

  #entryPool(guards: readonly DidKey[] | undefined): Int32Array {
    const { table } = this.#parts
    if (guards === undefined) return table.withRole(ENTRY)
    return Int32Array.from(this.#placesOf(guards).filter((at) => ((table.roles[at] as number) & ENTRY) !== 0))
  }

  #exit(entries: readonly Position[]): Position | Gap {
    const { end = 'exit', exit: wish } = this.#wishes
    const hop = (this.#wishes.hops ?? 3) - 1
    const beside = entries.length === 0 ? [] : [...this.#beside, ...entries.map(({ drawn }) => drawn.at)]
    const [entry] = entries
    const { nearestMs } = this.#exits
    const { places } = this.#parts
    const weights = (): DrawWeights | undefined => {
      if (wish?.kind === 'random') return undefined
      const where = nearestMs === undefined ? entry && places.last(entry.drawn.at) : places.nearest(nearestMs)
      return this.#weightsOf(end === 'exit', where)
    }
    const place = { leg: 0, hop, role: 'exit' as const, pool: this.#exits.members, weights }
    return this.#firstThat(ladder(place, OUT, beside, []), (terms) => this.#draw(terms))
  }

  /** @param before what the leg has, from its entry @param taken places in other legs @param isLast the exit comes next */
  #relay(
    leg: number,
    before: readonly Position[],
    exit: Position,
    taken: readonly number[],
    isLast: boolean,
  ): Position | Gap {
    const last = before.at(-1)?.drawn.at as number
    const weights = (): DrawWeights =>
      this.#weightsOf(false, this.#parts.places.between(last, isLast ? exit.drawn.at : undefined))
    const pool = this.#parts.table.withRole(RELAY)
    const place = { leg, hop: before.length, role: 'relay' as const, pool, weights }
    const own = [...before, exit].map(({ drawn }) => drawn.at)
    const rungs = ladder(place, OUT, [...own, ...taken], [])
    // Related to another leg, then in it: better than no leg.
    if (taken.length > 0) rungs.push(...ladder(place, OUT, own, taken), ...ladder(place, OUT.slice(1), own, []))
    return this.#firstThat(rungs, (terms) => this.#draw(terms))
  }

  #firstThat(rungs: readonly PositionTerms[], draw: (terms: PositionTerms) => Drawn | undefined): Position | Gap {
    for (const terms of rungs) {
      this.#parts.marks.mark(terms.unlike, terms.notAgain)
      const drawn = draw(terms)
      if (drawn !== undefined) return { ...terms, out: drawn.withLeft ? terms.out & ~LEFT : terms.out, drawn }
    }
    return { nobody: rungs.at(-1) as PositionTerms }
  }

  #draw({ pool, out, weights }: PositionTerms): Drawn | undefined {
    const { draw, flags, marks } = this.#parts
    return draw.draw(pool, flags.bits, out, marks, weights?.(), this.#random)
  }

  /** The first of the guards that fits: which of them are first is not this draw's to say. */
  #inOrder({ pool, out }: PositionTerms): Drawn | undefined {
    const { flags, marks } = this.#parts
    const weights = Float32Array.from(pool, (at) => ((flags.at(at) & out) === 0 && marks.fits(at) ? 1 : 0))
    const at = pool[weights.indexOf(1)]
    if (at === undefined) return undefined
    const candidates = weights.reduce((sum, each) => sum + each, 0)
    const withLeft = (out & LEFT) === 0
    return { at, candidates, weight: 1, share: 1, bits: 0, floorBits: 0, withLeft, weights, alike: undefined }
  }

  #weightsOf(isLast: boolean, place: PlaceFactors | undefined): DrawWeights {
    const { weights, lastLog, otherLog, table } = this.#parts
    return {
      own: isLast ? weights.last : weights.other,
      ownLog: isLast ? lastLog : otherLog,
      region: table.region,
      place,
    }
  }

  #placesOf(ids: readonly DidKey[]): number[] {
    return ids.flatMap((id) => this.#parts.table.indexOf(id) ?? [])
  }
}

function ladder(
  place: Place,
  outs: readonly number[],
  unlike: readonly number[],
  notAgain: readonly number[],
): PositionTerms[] {
  return outs.map((out) => ({ ...place, unlike, notAgain, out }))
}
