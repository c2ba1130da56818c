import { type Random, randomInt } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { REGIONS, type Region, guessedMs, regionOf } from './regions.ts'
import type { RouteMember } from './route-member.ts'

export interface CandidateWishes {
  readonly count: number
  /** Asked already. */
  readonly asked: readonly RouteMember[]
  /** Exits that circuits lead to: the first of those that may be taken. */
  readonly standing: ReadonlySet<DidKey>
}

/**
 * Draws exits that are asked how far a target is: of regions that have fewest so far, and of families and networks that have none where there are such. All exits of such regions
 * are as likely, but those that a circuit leads to, which costs nothing. Nothing that exits say or that was measured counts.
 */
export function drawCandidates(
  exits: readonly RouteMember[],
  { count, asked, standing }: CandidateWishes,
  random: Random,
): RouteMember[] {
  const drawn: RouteMember[] = []
  while (drawn.length < count) {
    const taken = [...asked, ...drawn]
    const left = exits.filter(({ id }) => taken.every((each) => each.id !== id))
    const numbers = left.map(({ country }) => inRegion(taken, country))
    const least = Math.min(...numbers)
    const spread = left.filter((_, at) => numbers[at] === least)
    const unlike = orAll(spread, ({ family, prefix }) => taken.every((each) => !isAlike(each, family, prefix)))
    const pool = orAll(unlike, ({ id }) => standing.has(id))
    if (pool.length === 0) break
    drawn.push(pool[randomInt(random, pool.length)] as RouteMember)
  }
  return drawn
}

/** What an exit of a region said of a target, ms. */
export interface TargetTime {
  readonly region: Region
  readonly ms: number
}

/** The regions where there are exits, first the one from which these times are best explained by what regions are apart. */
export function likelyRegions(exits: readonly RouteMember[], times: readonly TargetTime[]): Region[] {
  const there = new Set(exits.map(({ country }) => regionOf(country)))
  const errorOf = (target: Region): number =>
    times.reduce((sum, { region, ms }) => sum + Math.abs(Math.log(inParts(ms) / inParts(betweenMs(region, target)))), 0)
  return [...there].toSorted((one, other) => errorOf(one) - errorOf(other))
}

/** Ways that differ by some ms are alike, however short. */
const inParts = (ms: number): number => ms + 10

function betweenMs(one: Region, other: Region): number {
  return guessedMs(REGIONS.indexOf(one), REGIONS.indexOf(other))
}

function inRegion(members: readonly RouteMember[], country: string): number {
  return members.filter((each) => regionOf(each.country) === regionOf(country)).length
}

function isAlike(other: RouteMember, family: string, prefix: string): boolean {
  return other.prefix === prefix || (family !== '' && other.family === family)
}

/** Those that fit, or all where none does. */
function orAll<T>(all: readonly T[], fits: (each: T) => boolean): readonly T[] {
  const fitting = all.filter(fits)
  return fitting.length > 0 ? fitting : all
}
