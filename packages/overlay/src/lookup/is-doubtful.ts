import type { Member } from '../member.ts'
import { distanceOf } from '../records/closest-members.ts'
import type { Placing } from '../records/placing.ts'

/**
 * Standard deviations by which the last member may be farther than it should be. With nobody kept back three lookups in a
 * million go beyond, by the tail of the Poisson distribution for k = 20.
 */
const DEVIATIONS = 6

/**
 * Whether members were kept back: fewer were found than the map has, or the last one is so far that far more than `wanted`
 * members should be nearer. Positions are hashes, so as many members are within a distance as its part of the space
 * times `count`, give or take the square root; and `count` is signed. Nodes that name a quarter of the members only are
 * seen by this 98 times in 100. Diversity that passes many members over makes this cautious, never blind.
 * @param found nearest first
 * @param count members that the signed map has and that stand anywhere
 */
export function isDoubtful(
  found: readonly Member[],
  target: Uint8Array,
  wanted: number,
  count: number,
  placing: Placing = 'key',
): boolean {
  const expected = Math.min(wanted, count)
  const last = found.at(-1)
  if (last === undefined || found.length < expected) return true
  if (expected === count) return false
  return fractionOf(distanceOf(last, target, placing)) * count > expected + DEVIATIONS * Math.sqrt(expected)
}

/** A number of 256 bits as a part of all, from 0 to 1. */
function fractionOf(distance: Uint8Array): number {
  return distance.subarray(0, 8).reduce((sum, byte, at) => sum + byte / 256 ** (at + 1), 0)
}
