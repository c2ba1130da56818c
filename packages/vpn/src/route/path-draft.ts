import type { Random } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { type ExitPool, exitPool } from './exit-pool.ts'
import type { Gap, Position, PositionTerms } from './path-position.ts'
import type { PathWishes } from './path-wishes.ts'
import type { PlaceFactors, PlaceWeights } from './place-weights.ts'
import { BUSY, CALLED, FAILED, NEVER, type RouteFlags } from './route-flags.ts'
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

const ALWAYS_OUT = NEVER | FAILED
/** What keeps members out, in the order in which it is given up: nodes of other routes serve where there are no others. */
const OUT = [ALWAYS_OUT | BUSY | LEFT, ALWAYS_OUT | LEFT] as const
/** Guards are those of all routes. */
const GUARDS_OUT = [ALWAYS_OUT | CALLED | LEFT, ALWAYS_OUT | CALLED] as const

/** What counts against a leg: a node that is in another leg, too, and one that is only related to it. No leg has ten nodes. */
const SHARED = 10
const RELATED = 1

/** A position, apart from beside whom and under which flags it is drawn. */
type Place = Pick<PositionTerms, 'role' | 'pool' | 'weights'>

/** A leg that is being drawn. */
export class PathDraft {
  readonly #parts: DraftParts
  readonly #wishes: PathWishes
  readonly #random: Random
  readonly #hops: number
  readonly #exits: ExitPool
  /** Places of entries and relays of legs that stay. */
  readonly #beside: readonly number[]
  #positions: readonly Position[] = []
  #shortcoming = 0

  constructor(parts: DraftParts, wishes: PathWishes, hops: number, random: Random) {
    this.#parts = parts
    this.#wishes = wishes
    this.#hops = hops
    this.#random = random
    this.#exits = exitPool(parts.table, wishes, (at) => (parts.flags.at(at) & ALWAYS_OUT) !== 0)
    this.#beside = (wishes.beside ?? []).flatMap((ids) => this.#placesOf(ids.slice(0, -1)))
  }

  /** From the entry to the exit; none before it is filled. */
  get positions(): readonly Position[] {
    return this.#positions
  }

  /** The more, the worse: nodes that other legs have as well, then such that are related to theirs. */
  get shortcoming(): number {
    return this.#shortcoming
  }

  /** One of its nodes is in another leg, too. */
  get isShared(): boolean {
    return this.#shortcoming >= SHARED
  }

  /** @returns the position that nobody can take; undefined when there is a leg */
  fill(): Gap | undefined {
    let entry = this.#entry(undefined)
    let exit = this.#exit(entry)
    if ('nobody' in exit && entry !== undefined) {
      // None stands beside this entry: it comes first then, and an entry is found that stands beside it.
      exit = this.#exit(undefined)
      if (!('nobody' in exit)) entry = this.#entry(exit)
    }
    if ('nobody' in exit) return exit
    if (entry === undefined) return { nobody: this.#entryLadder(this.#wishes.entries, exit).at(-1) as PositionTerms }
    const before = [entry]
    while (before.length < this.#hops - 1) {
      const relay = this.#relay(before, exit)
      if ('nobody' in relay) return relay
      before.push(relay)
    }
    this.#shortcoming = this.#inCommon(before)
    this.#positions = [...before, exit]
    return undefined
  }

  #inCommon(positions: readonly Position[]): number {
    const { marks } = this.#parts
    marks.mark(this.#beside, [])
    let sum = 0
    for (const { drawn } of positions) {
      const conflict = marks.conflict(drawn.at)
      if (conflict !== undefined) sum += conflict.why === 'chosen' ? SHARED : RELATED
    }
    return sum
  }

  #entry(exit: Position | undefined): Position | undefined {
    const { entries, lastEntries } = this.#wishes
    return this.#entryOf(entries, exit) ?? (lastEntries && this.#entryOf(lastEntries, exit))
  }

  #entryOf(guards: readonly DidKey[] | undefined, exit: Position | undefined): Position | undefined {
    const position = this.#firstThat(this.#entryLadder(guards, exit), (terms) =>
      guards === undefined ? this.#draw(terms) : this.#inOrder(terms),
    )
    return 'nobody' in position ? undefined : position
  }

  #entryLadder(guards: readonly DidKey[] | undefined, exit: Position | undefined): PositionTerms[] {
    const own = exit === undefined ? [] : [exit.drawn.at]
    const others = this.#beside
    const drawn = guards === undefined ? { weights: () => this.#weightsOf(false, undefined) } : {}
    const place = { role: 'entry' as const, pool: this.#entryPool(guards), ...drawn }
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

  #exit(entry: Position | undefined): Position | Gap {
    const { end = 'exit', exit: wish } = this.#wishes
    const beside = entry === undefined ? [] : [...this.#beside, entry.drawn.at]
    const { nearestMs } = this.#exits
    const { places } = this.#parts
    const weights = (): DrawWeights | undefined => {
      if (wish?.kind === 'random') return undefined
      const where = nearestMs === undefined ? entry && places.last(entry.drawn.at) : places.nearest(nearestMs)
      return this.#weightsOf(end === 'exit', where)
    }
    const place = { role: 'exit' as const, pool: this.#exits.members, weights }
    return this.#firstThat(ladder(place, OUT, beside, []), (terms) => this.#draw(terms))
  }

  /** @param before what the leg has, from its entry */
  #relay(before: readonly Position[], exit: Position): Position | Gap {
    const last = before.at(-1)?.drawn.at as number
    const isLast = before.length === this.#hops - 2
    const weights = (): DrawWeights =>
      this.#weightsOf(false, this.#parts.places.between(last, isLast ? exit.drawn.at : undefined))
    const pool = this.#parts.table.withRole(RELAY)
    const place = { role: 'relay' as const, pool, weights }
    const own = [...before, exit].map(({ drawn }) => drawn.at)
    const others = this.#beside
    const rungs = ladder(place, OUT, [...own, ...others], [])
    // Related to another leg, then in it: better than no leg.
    if (others.length > 0) rungs.push(...ladder(place, OUT, own, others), ...ladder(place, OUT.slice(1), own, []))
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
