import type { Member } from '../member.ts'
import { networkPrefix } from '../network/network-prefix.ts'
import { MAX_NEEDED } from './liveness-limits.ts'

/** Where an observer stands: two of one family or one network prefix (/24, /48) count as one. */
export interface ObserverPlace {
  readonly family: string
  readonly prefix: string
}

/** Of each entry of a map once: its address is read anew with every statement otherwise. */
const places = new WeakMap<PlacedMember, ObserverPlace>()

type PlacedMember = Pick<Member, 'family' | 'diversityAddress'>

export function observerPlace(member: PlacedMember): ObserverPlace {
  let place = places.get(member)
  if (place === undefined) {
    place = { family: member.family, prefix: networkPrefix(member.diversityAddress) }
    places.set(member, place)
  }
  return place
}

/**
 * How many of these places differ from each other, and from this node's own, in family and in prefix. First come, first
 * counted.
 * @param most where counting may end
 */
export function distinctPlaces(
  places: Iterable<ObserverPlace>,
  own: ObserverPlace | undefined,
  most = Infinity,
): number {
  const families = new Set<string>(own === undefined ? [] : [own.family])
  const prefixes = new Set<string>(own === undefined ? [] : [own.prefix])
  let count = 0
  for (const { family, prefix } of places) {
    if (families.has(family) || prefixes.has(prefix)) continue
    families.add(family)
    prefixes.add(prefix)
    count++
    if (count >= most) break
  }
  return count
}

/** So many places need MAX_NEEDED observers, and more do not need more. */
export const MOST_PLACES = 3 * MAX_NEEDED - 2

/**
 * Other observers that a verdict needs, beside this node's own silence, when `places` distinct ones could observe:
 * one more than the third of them that may lie, at most MAX_NEEDED; none where there is nobody else.
 */
export function observersNeeded(places: number): number {
  return places === 0 ? 0 : Math.min(MAX_NEEDED, Math.floor((places - 1) / 3) + 1)
}
