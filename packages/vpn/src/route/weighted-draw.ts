import { type Random, randomInt } from '@weft/core'
import { flatten } from './entropy-floor.ts'
import { NOT_MEASURED, type PlaceFactors } from './place-weights.ts'
import { REGIONS } from './regions.ts'
import type { RouteMarks } from './route-marks.ts'
import { MIN_WEIGHT } from './route-measures.ts'
import { uniform } from './uniform.ts'

/** What of a member's flags keeps it out where there are enough others. */
export const LEFT = 1

/** Weights of one draw: of the members, and of where they are. */
export interface DrawWeights {
  readonly own: Float64Array
  /** log2 of `own`. */
  readonly ownLog: Float64Array
  readonly region: Uint8Array
  /** Undefined where it does not matter where they are. */
  readonly place: PlaceFactors | undefined
}

export interface Drawn {
  readonly at: number
  readonly candidates: number
  readonly weight: number
  readonly share: number
  readonly bits: number
  readonly floorBits: number
  /** Those that {@link LEFT} names came into question as well. */
  readonly withLeft: boolean
  /** What each weighed, by its place in the pool; 0 for those that did not come into question. Its own copy. */
  readonly weights: Float32Array
  /** The part of the draw in which all are as likely (entropy-floor.ts); undefined where the first that fits is taken. */
  readonly alike: number | undefined
}

/**
 * Draws one of those that fit, by weight, with the floor on entropy. Two passes over the pool and no logarithm in them, so that a draw among
 * 10,000 takes tens of µs.
 */
export class WeightedDraw {
  /** By place in the pool; 0 for those that are out. */
  readonly #weights: Float64Array
  #count = 0
  #sum = 0
  #logSum = 0

  constructor(size: number) {
    this.#weights = new Float64Array(size)
  }

  /**
   * @param out flags of members that are out; {@link LEFT} among them counts only as long as at least half of those that fit are not left, so that
   *   nobody steers a choice by filling up, or by making look ill, all others
   * @param weights undefined: all alike
   * @returns undefined where nobody fits
   */
  draw(
    pool: Int32Array,
    flags: Uint8Array,
    out: number,
    marks: RouteMarks,
    weights: DrawWeights | undefined,
    random: Random,
  ): Drawn | undefined {
    const left = this.#gather(pool, flags, out, marks, weights)
    const withLeft = (out & LEFT) === 0 || left > this.#count
    if (withLeft && (out & LEFT) !== 0) this.#gather(pool, flags, out & ~LEFT, marks, weights)
    if (this.#count === 0) return undefined
    const { bits, floorBits, uniform: alike } = flatten(this.#count, this.#sum, this.#logSum)
    const drawn =
      uniform(random) < alike ? this.#nth(randomInt(random, this.#count)) : this.#byWeight(random, pool.length)
    const weight = this.#weights[drawn] as number
    return {
      at: pool[drawn] as number,
      candidates: this.#count,
      weight,
      share: (1 - alike) * (weight / this.#sum) + alike / this.#count,
      bits,
      floorBits,
      withLeft,
      weights: new Float32Array(this.#weights.subarray(0, pool.length)),
      alike,
    }
  }

  /** @returns how many are out for nothing but {@link LEFT} */
  #gather(
    pool: Int32Array,
    flags: Uint8Array,
    out: number,
    marks: RouteMarks,
    weights: DrawWeights | undefined,
  ): number {
    let count = 0
    let sum = 0
    let logSum = 0
    let left = 0
    const { own, ownLog, region, place } = weights ?? ALIKE
    const { regionLog, memberLog, memberWeight } = place ?? NOWHERE
    const regionWeight = regionLog.map((log) => 2 ** log)
    for (let k = 0; k < pool.length; k++) {
      const at = pool[k] as number
      const why = (flags[at] as number) & out
      this.#weights[k] = 0
      if ((why & ~LEFT) !== 0 || !marks.fits(at)) continue
      if (why !== 0) {
        left++
        continue
      }
      let weight = 1
      let log = 0
      if (own !== undefined) {
        const measured = memberLog === undefined ? NOT_MEASURED : (memberLog[at] as number)
        const isMeasured = measured !== NOT_MEASURED
        const where = region[at] as number
        weight = (own[at] as number) * ((isMeasured ? memberWeight?.[at] : regionWeight[where]) as number)
        log = (ownLog[at] as number) + (isMeasured ? measured : (regionLog[where] as number))
        if (weight <= MIN_WEIGHT) {
          weight = MIN_WEIGHT
          log = MIN_LOG
        }
      }
      this.#weights[k] = weight
      count++
      sum += weight
      logSum += weight * log
    }
    this.#count = count
    this.#sum = sum
    this.#logSum = logSum
    return left
  }

  /** Where in the pool the nth stands of those that came into question. */
  #nth(n: number): number {
    let place = -1
    for (let seen = -1; seen < n;) if (this.#weights[++place] !== 0) seen++
    return place
  }

  #byWeight(random: Random, size: number): number {
    let rest = uniform(random) * this.#sum
    let last = 0
    for (let k = 0; k < size; k++) {
      const weight = this.#weights[k] as number
      if (weight === 0) continue
      rest -= weight
      if (rest < 0) return k
      last = k
    }
    return last
  }
}

const ALIKE = { own: undefined, ownLog: new Float64Array(), region: new Uint8Array(), place: undefined }
const NOWHERE: PlaceFactors = {
  regionLog: new Float64Array(REGIONS.length),
  memberLog: undefined,
  memberWeight: undefined,
}
const MIN_LOG = Math.log2(MIN_WEIGHT)
