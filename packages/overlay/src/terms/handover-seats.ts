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
  /** 32 bytes: the value of the beacon that it carries, which nobody could choose; its root before there is one. */
  readonly seed: Uint8Array
}

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
): Pick<HandoverValue, 'leaving' | 'entering'> | undefined {
  const { validators } = term
  const lapsed = validators.flatMap(({ id }, place) => (hasLapsed(id) ? [place] : []))
  const leaving = lapsed.slice(0, toleratedFaults(validators.length))
  const free = file.seats - (validators.length - leaving.length)
  const entering = candidates(term, list, new Set(leaving), Math.min(free, mostEntering(validators.length)))
  if (entering.length === 0) return undefined
  return { leaving: leaving.slice(0, entering.length), entering }
}

function candidates(term: Term, list: SeatedMap, leaving: ReadonlySet<number>, most: number): readonly Seat[] {
  // Nearly always: it is asked every second or two, of maps of any size.
  if (most <= 0) return []
  const limits = new SeatLimits()
  for (const [place, seat] of term.validators.entries()) if (!leaving.has(place)) limits.take(placeOf(seat, list))
  const willing = list.members.filter((member) => isCandidate(term, member))
  const taken: Seat[] = []
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
