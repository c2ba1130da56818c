import type { DidKey } from '@weft/crypto'
import { beaconRandom } from '../committee/beacon-random.ts'
import { drawInTurn } from '../committee/draw-in-turn.ts'
import { SeatLimits } from '../committee/seat-limits.ts'
import type { EntryList } from '../map/entry-list.ts'
import type { Member } from '../member.ts'
import type { NetworkFile } from '../network/network-file.ts'
import { parseNodeAddress } from '../network/node-address.ts'
import { toleratedFaults } from '../network/quorum.ts'
import { directAddresses } from './direct-addresses.ts'
import { type HandoverValue, mostEntering } from './handover-value.ts'
import type { Seat, Term } from './term.ts'

/** What is looked at of a map. */
export interface SeatedMap extends Pick<EntryList, 'members' | 'member'> {
  /** 32 bytes: the value of a beacon, which nobody could choose; the root of the map before there is one. */
  readonly seed: Uint8Array
}

/** Who gives up a seat and who gets one. */
export type SeatChange = Pick<HandoverValue, 'leaving' | 'entering'>

/**
 * Who gives up a seat and who gets one, by a map: as many of the lapsed as there are candidates for, and candidates up to
 * the seats of the network file. Candidates are the members with the role `validator` that can be dialled and have no seat,
 * drawn by the beacon of the map, unless two of their family or network have a seat. Undefined when nothing is to change.
 * @param hasLapsed whether a validator has been out of the maps for too long
 */
export function seatsDue(
  file: Pick<NetworkFile, 'seats'>,
  term: Term,
  list: SeatedMap,
  hasLapsed: (id: DidKey) => boolean,
): SeatChange | undefined {
  const { validators } = term
  const lapsed = validators.flatMap(({ id }, place) => (hasLapsed(id) ? [place] : []))
  return change(term, list, lapsed.slice(0, toleratedFaults(validators.length)), file.seats - validators.length)
}

/**
 * Who gives up a seat and who gets one when a rotation has come: as many as may be down or lie, drawn from all seats, leave,
 * and as many candidates, drawn as above, enter. So every candidate has the same chance, and in the long run all who ask
 * for a seat have one for the same part of the time. Undefined when nobody waits for a seat, or none may be down.
 * @param list the map of the epoch of the beacon by which is drawn, with the value of that beacon
 */
export function rotationDue(term: Term, list: SeatedMap): SeatChange | undefined {
  const places = term.validators.map((_, place) => place)
  const drawn = [...drawInTurn(beaconRandom(list.seed, 'rotation'), places)]
  const leaving = drawn.slice(0, toleratedFaults(places.length))
  return leaving.length === 0 ? undefined : change(term, list, leaving, 0)
}

/**
 * With as many of those who should leave, the first ones first, as others enter for.
 * @param free seats that nobody has
 */
function change(term: Term, list: SeatedMap, leavers: readonly number[], free: number): SeatChange | undefined {
  const most = mostEntering(term.validators.length)
  // Nearly always: it is asked every second or two, of maps of any size.
  if (Math.min(leavers.length + free, most) <= 0) return undefined
  const willing = list.members.filter((member) => isCandidate(term, member))
  for (let count = Math.min(leavers.length, willing.length); count >= 0; count--) {
    const leaving = leavers.slice(0, count)
    // Who would stay after all counts for the limits: so it is drawn anew for each number.
    const entering = draw(term, list, willing, new Set(leaving), Math.min(count + free, most))
    if (entering.length > 0 && entering.length >= count) return { leaving: leaving.toSorted((a, b) => a - b), entering }
  }
  return undefined
}

function draw(
  term: Term,
  list: SeatedMap,
  willing: readonly Member[],
  leaving: ReadonlySet<number>,
  most: number,
): readonly Seat[] {
  const taken: Seat[] = []
  if (most <= 0) return taken
  const limits = new SeatLimits()
  for (const [place, seat] of term.validators.entries()) if (!leaving.has(place)) limits.take(placeOf(seat, list))
  for (const member of drawInTurn(beaconRandom(list.seed, 'handover'), willing)) {
    if (!limits.allows(member)) continue
    limits.take(member)
    const { id, family } = member
    taken.push({ id, addresses: directAddresses(member), family })
    if (taken.length === most) break
  }
  return taken
}

function isCandidate(term: Term, member: Member): boolean {
  return member.roles.includes('validator') && !term.isValidator(member.id) && directAddresses(member).length > 0
}

/** A validator that is not in the map counts where the term says that it listens. */
function placeOf({ id, addresses, family }: Seat, list: SeatedMap): Pick<Member, 'family' | 'diversityAddress'> {
  const host = parseNodeAddress(addresses[0] ?? '')?.host ?? ''
  return list.member(id) ?? { family, diversityAddress: host }
}
