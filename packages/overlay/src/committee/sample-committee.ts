import { type Random, randomInt } from '@weft/core'
import type { Member } from '../member.ts'
import { networkPrefix } from '../network/network-prefix.ts'
import { quorumOf } from '../network/quorum.ts'
import { beaconRandom } from './beacon-random.ts'

/** Seats that one operator family, and one /24 (IPv4) or /48 (IPv6), may have of a committee that is drawn. */
export const MAX_SEATS_TOGETHER = 2

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

/** The shuffle of Fisher and Yates, from the front, so that it costs no more than what is taken of it. */
function* drawInTurn<M>(random: Random, items: readonly M[]): Generator<M> {
  const left = [...items]
  for (let at = 0; at < left.length; at++) {
    const chosen = at + randomInt(random, left.length - at)
    const item = left[chosen] as M
    left[chosen] = left[at] as M
    yield item
  }
}

function independent<M extends Candidate>(drawn: Iterable<M>, size: number): readonly M[] {
  const families = new Map<string, number>()
  const prefixes = new Map<string, number>()
  const taken: M[] = []
  for (const candidate of drawn) {
    const prefix = networkPrefix(candidate.diversityAddress)
    const ofFamily = families.get(candidate.family) ?? 0
    const ofPrefix = prefixes.get(prefix) ?? 0
    if (ofFamily >= MAX_SEATS_TOGETHER || ofPrefix >= MAX_SEATS_TOGETHER) continue
    families.set(candidate.family, ofFamily + 1)
    prefixes.set(prefix, ofPrefix + 1)
    taken.push(candidate)
    if (taken.length === size) break
  }
  return taken
}
