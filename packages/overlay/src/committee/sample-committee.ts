import type { Member } from '../member.ts'
import { quorumOf } from '../network/quorum.ts'
import { beaconRandom } from './beacon-random.ts'
import { drawInTurn } from './draw-in-turn.ts'
import { SeatLimits } from './seat-limits.ts'

/** Who judges in one epoch (docs/specs/beacon.md, Committee). */
export interface Committee<M> {
  /** In the order in which they were drawn, which is as random as the choice. */
  readonly members: readonly M[]
  /** How many of them must sign: 43 of 64. */
  readonly quorum: number
}

/** What sampling looks at. */
export type Candidate = Pick<Member, 'id' | 'family' | 'diversityAddress'>

/**
 * Draws a committee by a beacon: one candidate after the other out of those that are left, all with the same chance, is
 * taken unless its family or its network has two seats, until `size` are. Whoever has the same map and beacon draws the
 * same. Up to `size` candidates all have a seat. The limits are never given up: where too few candidates are
 * independent, the committee is smaller.
 * @param candidates none twice; their order does not matter
 */
export function sampleCommittee<M extends Candidate>(
  beacon: Uint8Array,
  candidates: readonly M[],
  size: number,
): Committee<M> {
  // All ids have one length, and the digits of base58btc stand in the order of ASCII: so this is the order of the keys.
  const sorted = candidates.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  const drawn = drawInTurn(beaconRandom(beacon, 'committee'), sorted)
  const members = sorted.length <= size ? [...drawn] : independent(drawn, size)
  return { members, quorum: quorumOf(members.length) }
}

function independent<M extends Candidate>(drawn: Iterable<M>, size: number): readonly M[] {
  const limits = new SeatLimits()
  const taken: M[] = []
  for (const candidate of drawn) {
    if (!limits.allows(candidate)) continue
    limits.take(candidate)
    taken.push(candidate)
    if (taken.length === size) break
  }
  return taken
}
