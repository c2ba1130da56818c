import { concatBytes, toBase32, utf8 } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { ValidatorSet } from '../agreement/validator-set.ts'
import { beaconRandom } from '../committee/beacon-random.ts'
import { drawInTurn } from '../committee/draw-in-turn.ts'
import type { MapBody } from '../map/map-body.ts'
import type { MapEntry } from '../map/map-entry.ts'
import { quorumOf } from '../network/quorum.ts'
import type { Term } from './term.ts'

/** Who votes on a new term, and by what it is proven (docs/specs/terms.md, Electors). */
export interface Electors {
  /** In the order in which they were drawn. */
  readonly members: readonly MapEntry[]
  /** They, and the validators that were drawn between them, with their positions in the map, in the order of the draw. */
  readonly drawn: readonly DrawnEntry[]
  /** They as those who agree. */
  readonly set: ValidatorSet
}

interface DrawnEntry {
  readonly position: number
  readonly entry: MapEntry
}

/** Electors at most: as many as a committee has. 43 of 64 must agree, or a few more where validators were drawn between. */
export const MAX_ELECTORS = 64

const CONTEXT = utf8('weft:recovery:v1\0')

/**
 * Draws the electors from the last map of a term, by its own root: everyone alike. The validators of that term do not vote
 * on who takes their place.
 * @param entryAt the entry at a position of the anchor, proven by the caller
 * @throws what `entryAt` throws
 */
export function drawElectors(anchor: MapBody, term: Term, entryAt: (position: number) => MapEntry): Electors {
  const members: MapEntry[] = []
  const drawn: DrawnEntry[] = []
  const positions = Array.from({ length: anchor.count }, (_, position) => position)
  for (const position of drawInTurn(beaconRandom(anchor.root, 'recovery'), positions)) {
    const entry = entryAt(position)
    drawn.push({ position, entry })
    if (term.isValidator(entry.member.id)) continue
    if (members.push(entry) === MAX_ELECTORS) break
  }
  const validators = members.map(({ member }) => ({ id: member.id }))
  const quorum = electorQuorum(members.length, drawn.length)
  return { members, drawn, set: new ValidatorSet(contextOf(anchor, term), { validators, quorum }) }
}

/**
 * Electors who must agree: as many as of validators, and more than half of all that were drawn. In a network that has
 * hardly grown beyond its validators a few newcomers would else take it over.
 * @param drawn with the validators between them
 */
export function electorQuorum(electors: number, drawn: number): number {
  return Math.max(quorumOf(electors), Math.floor(drawn / 2) + 1)
}

/** Whether so many members, of whom so many are validators of the term, can seat others at all. */
export function canRecover(members: number, validators: number): boolean {
  return Math.min(members - validators, MAX_ELECTORS) > validators
}

/** What their messages name in place of the network, so that none counts in any other agreement. */
function contextOf({ network, epoch, root }: MapBody, { number }: Term): string {
  const numbers = new DataView(new ArrayBuffer(16))
  numbers.setBigUint64(0, BigInt(number))
  numbers.setBigUint64(8, BigInt(epoch))
  const name = sha256(concatBytes([CONTEXT, utf8(network), new Uint8Array(numbers.buffer), root]))
  return `w${toBase32(name.subarray(0, 20))}`
}
