import type { PathWishes } from './path-wishes.ts'
import { REGIONS } from './regions.ts'
import { EXIT, RELAY, type RouteTable } from './route-table.ts'

export interface ExitPool {
  /** Places of members that may be the last hop by role and wish. */
  readonly members: Int32Array
  /** Of those for `nearest`: ms to the target, by place. Undefined where nothing else was asked for, or nothing was measured. */
  readonly nearestMs: ReadonlyMap<number, number> | undefined
}

/** @param isOut those that do not serve at the moment: of the near exits (nearest-exits.ts says which are) the others are taken */
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
  const near = new Map<number, number>()
  for (const [id, ms] of measured) {
    const at = table.indexOf(id)
    if (at !== undefined && exits.has(at) && !isOut(at) && ms >= 0 && ms < Infinity) near.set(at, ms)
  }
  // Nothing was measured yet, or none of these serves: as `auto`.
  return near.size === 0
    ? { members: all, nearestMs: undefined }
    : { members: Int32Array.from(near.keys()), nearestMs: near }
}
