import type { PathWishes } from './path-wishes.ts'
import { REGIONS } from './regions.ts'
import { EXIT, RELAY, type RouteTable } from './route-table.ts'

/** Exits to a target that are this much farther than the nearest, ms there and back, count as near; and the nearest few however far. */
const NEAR_MS = 10
const NEAR_AT_LEAST = 3

export interface ExitPool {
  /** Places of members that may be the last hop by role and wish. */
  readonly members: Int32Array
  /** Of those for `nearest`: ms to the target, by place. Undefined where nothing else was asked for, or nothing was measured. */
  readonly nearestMs: ReadonlyMap<number, number> | undefined
}

/** @param isOut those that do not serve at the moment, so that the nearest of the others are taken */
export function exitPool(
  table: RouteTable,
  { end = 'exit', exit: wish = { kind: 'auto' }, nearestMs }: PathWishes,
  isOut: (at: number) => boolean,
): ExitPool {
  const all = table.withRole(end === 'service' ? RELAY | EXIT : EXIT)
  switch (wish.kind) {
    case 'country': {
      const country = table.countryNumber(wish.country)
      return { members: all.filter((at) => country !== 0 && table.country[at] === country), nearestMs: undefined }
    }
    case 'region': {
      const region = REGIONS.indexOf(wish.region)
      return { members: all.filter((at) => table.region[at] === region), nearestMs: undefined }
    }
    case 'node': {
      const at = table.indexOf(wish.id)
      return { members: all.filter((each) => each === at), nearestMs: undefined }
    }
    case 'nearest':
      return nearestOf(table, all, nearestMs ?? new Map(), isOut)
    case 'auto':
    case 'random':
      return { members: all, nearestMs: undefined }
  }
}

function nearestOf(
  table: RouteTable,
  all: Int32Array,
  measured: NonNullable<PathWishes['nearestMs']>,
  isOut: (at: number) => boolean,
): ExitPool {
  const exits = new Set(all)
  const known = [...measured]
    .flatMap(([id, ms]) => {
      const at = table.indexOf(id)
      return at === undefined || !exits.has(at) || isOut(at) || !(ms >= 0 && ms < Infinity) ? [] : [{ at, ms }]
    })
    .toSorted((a, b) => a.ms - b.ms)
  const [nearest] = known
  // Nothing was measured yet: as `auto`.
  if (nearest === undefined) return { members: all, nearestMs: undefined }
  const near = known.filter(({ ms }, rank) => rank < NEAR_AT_LEAST || ms <= nearest.ms + NEAR_MS)
  return { members: Int32Array.from(near, ({ at }) => at), nearestMs: new Map(near.map(({ at, ms }) => [at, ms])) }
}
