/**
 * By what members stand among the record keys (docs/specs/records.md, Holders): by the hash of their key, or by the
 * position that a beacon gave them. Then whoever has none yet holds nothing.
 */
export type Placing = 'key' | 'beacon'

/**
 * By the positions of a map, once half of its entries have one: until then the few that have would hold everything. Who
 * would turn that back has to make more newcomers in three epochs than there are members.
 * @param count entries of the map
 * @param placed of these, entries that have a position
 */
export function placingOf({ count, placed }: { readonly count: number; readonly placed: number }): Placing {
  return placed > 0 && 2 * placed >= count ? 'beacon' : 'key'
}

/** How many entries of such a map stand anywhere. */
export function standing(map: { readonly count: number; readonly placed: number }): number {
  return placingOf(map) === 'beacon' ? map.placed : map.count
}
