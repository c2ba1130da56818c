import type { DidKey } from '@weft/crypto'
import { REGIONS, guessedMs } from './regions.ts'
import type { RouteMeasures } from './route-measures.ts'
import type { RouteTable } from './route-table.ts'

/** ms, there and back, by which a node that is farther than the nearest weighs half. */
const HALF_MS = 25
/** The same for exits to a target of which exits measured the way. */
const NEAREST_HALF_MS = 10

/** What being somewhere weighs, for one draw. Valid until the next is asked for. */
export interface PlaceFactors {
  /** By place in `REGIONS`: binary logarithm, 0 or less. */
  readonly regionLog: Float64Array
  /** By member: the same where it was measured, {@link NOT_MEASURED} elsewhere; undefined where nobody was. */
  readonly memberLog: Float64Array | undefined
  /** 2 to the power of `memberLog`. */
  readonly memberWeight: Float64Array | undefined
}

/** No logarithm of a weight that is at most 1. */
export const NOT_MEASURED = 1

/** What nodes weigh by how far they are: measured where it was, guessed by region elsewhere. */
export class PlaceWeights {
  readonly #table: RouteTable
  /** By place of a member: ms to others, both ways. */
  readonly #pairs = new Map<number, Map<number, number>>()
  /** ms from this client. */
  readonly #own: ReadonlyMap<number, number>
  /** Of last hops, by the region of the entry: they are the same for each choice. */
  readonly #last = new Map<number, PlaceFactors>()
  readonly #between: MemberFactors

  constructor(table: RouteTable, { latencyMs = new Map(), pairMs = new Map() }: RouteMeasures) {
    this.#table = table
    this.#own = this.#byPlace(latencyMs)
    for (const [id, others] of pairMs) {
      const from = table.indexOf(id)
      if (from === undefined) continue
      for (const [to, ms] of this.#byPlace(others)) {
        this.#pair(from, to, ms)
        this.#pair(to, from, ms)
      }
    }
    this.#between = memberFactors(table.size)
  }

  /** For a node between two others; `after` undefined where what follows is not chosen yet. */
  between(before: number, after: number | undefined): PlaceFactors {
    const { region } = this.#table
    const ends = after === undefined ? [before] : [before, after]
    const measured = new Map<number, number>()
    const guess = (end: number, at: number): number => guessedMs(region[end] as number, region[at] as number)
    for (const end of ends)
      for (const at of this.#pairs.get(end)?.keys() ?? [])
        measured.set(
          at,
          ends.reduce((sum, each) => sum + (this.#pairs.get(each)?.get(at) ?? guess(each, at)), 0),
        )
    const guessed = (place: number): number =>
      ends.reduce((sum, end) => sum + guessedMs(region[end] as number, place), 0)
    return this.#factors(guessed, measured, HALF_MS, this.#between)
  }

  /** For a last hop, from a client who begins at `entry`. */
  last(entry: number): PlaceFactors {
    const region = this.#table.region[entry] as number
    const known = this.#last.get(region)
    if (known !== undefined) return known
    const factors = this.#factors((place) => guessedMs(region, place), this.#own, HALF_MS)
    this.#last.set(region, factors)
    return factors
  }

  /** For an exit to a target. @param measured ms by place of the exit */
  nearest(measured: ReadonlyMap<number, number>): PlaceFactors {
    return this.#factors(() => Infinity, measured, NEAREST_HALF_MS)
  }

  #factors(
    guessed: (region: number) => number,
    measured: ReadonlyMap<number, number>,
    halfMs: number,
    into = memberFactors(this.#table.size),
  ): PlaceFactors {
    let nearest = Infinity
    for (const region of this.#table.regions) nearest = Math.min(nearest, guessed(region))
    for (const ms of measured.values()) nearest = Math.min(nearest, ms)
    const logOf = (ms: number): number => Math.max(FARTHEST_LOG, Math.min(0, (nearest - ms) / halfMs))
    const regionLog = Float64Array.from(REGIONS, (_, region) => logOf(guessed(region)))
    if (measured.size === 0) return { regionLog, memberLog: undefined, memberWeight: undefined }
    into.log.fill(NOT_MEASURED)
    for (const [at, ms] of measured) {
      const log = logOf(ms)
      into.log[at] = log
      into.weight[at] = 2 ** log
    }
    return { regionLog, memberLog: into.log, memberWeight: into.weight }
  }

  #byPlace(ms: ReadonlyMap<DidKey, number>): Map<number, number> {
    const known = new Map<number, number>()
    for (const [id, each] of ms) {
      const at = this.#table.indexOf(id)
      if (at !== undefined && each >= 0 && each < Infinity) known.set(at, each)
    }
    return known
  }

  #pair(from: number, to: number, ms: number): void {
    const known = this.#pairs.get(from)
    if (known === undefined) this.#pairs.set(from, new Map([[to, ms]]))
    else known.set(to, ms)
  }
}

/** Arrays to compute in. */
interface MemberFactors {
  readonly log: Float64Array
  readonly weight: Float64Array
}

function memberFactors(size: number): MemberFactors {
  return { log: new Float64Array(size), weight: new Float64Array(size) }
}

/** Weights end far above this; it keeps what is computed with finite. */
const FARTHEST_LOG = -64
