import { toHex } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { MapBody } from '../map/map-body.ts'

/** A signed map that was verified, and who told of it. */
export interface ToldHead {
  readonly body: MapBody
  readonly by: DidKey
}

/** Epochs by which the chosen map may be older than the newest. */
const BEHIND = 1

/**
 * By which map a lookup is made: of the newest and those of the epoch before it the one that most nodes told, of two that
 * as many told the newer. At the turn of an epoch most nodes still hold the map before, and those that have the new one
 * hold both; the newest alone would let a few that were first with it, or kept it to themselves, answer the lookup alone.
 */
export function chooseHead(told: readonly ToldHead[]): MapBody | undefined {
  const newest = Math.max(...told.map(({ body }) => body.epoch))
  const recent = told.filter(({ body }) => body.epoch >= newest - BEHIND)
  // Of one map: maps of two epochs with the same entries have the same root, and whoever holds one can answer for both.
  const groups = [...Map.groupBy(recent, ({ body }) => toHex(body.root)).values()]
  groups.sort((a, b) => b.length - a.length || epochOf(b) - epochOf(a))
  return groups[0]?.toSorted((a, b) => b.body.epoch - a.body.epoch)[0]?.body
}

function epochOf(group: readonly ToldHead[]): number {
  return Math.max(...group.map(({ body }) => body.epoch))
}
