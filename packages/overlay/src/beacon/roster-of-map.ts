import { type DidKey, fromDidKey } from '@weft/crypto'
import type { Member } from '../member.ts'
import type { Term } from '../terms/term.ts'
import { type BeaconRoster, MAX_SEATS, beaconRoster } from './beacon-roster.ts'

/** Up to so many seats every epoch has a beacon: it costs a node a fifth of a second then (docs/adr/0017). */
const SEATS_OF_EVERY_EPOCH = 16
/** Epochs from one beacon to the next where there are more. */
const INTERVAL = 10

/**
 * Who makes the beacon of an epoch: the validators of its term, in their order, that list a beacon key in the map of the
 * epoch before (docs/specs/beacon.md, Roster). Undefined for an epoch without a beacon: when fewer than a quorum of the
 * term list one, and, with more than 16, in nine of ten epochs.
 * @param member an entry of that map
 */
export function rosterOfMap(
  network: string,
  epoch: number,
  { validators, quorum }: Pick<Term, 'validators' | 'quorum'>,
  member: (id: DidKey) => Pick<Member, 'roles' | 'beaconKey'> | undefined,
): BeaconRoster | undefined {
  const seats = validators.flatMap(({ id }) => {
    const { roles = [], beaconKey } = member(id) ?? {}
    return beaconKey === undefined || !roles.includes('validator') ? [] : [{ key: fromDidKey(id), beaconKey }]
  })
  if (seats.length < quorum || seats.length > MAX_SEATS) return undefined
  if (seats.length > SEATS_OF_EVERY_EPOCH && epoch % INTERVAL !== 0) return undefined
  return beaconRoster(network, epoch, seats)
}
