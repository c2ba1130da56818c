import { type DidKey, fromDidKey } from '@weft/crypto'
import type { Member } from '../member.ts'
import type { NetworkFile } from '../network/network-file.ts'
import type { Term } from '../terms/term.ts'
import { type BeaconRoster, beaconRoster } from './beacon-roster.ts'
import { MAX_SEATS } from '../network/quorum.ts'

/**
 * ms from one beacon to the next at least, by the seats that there are at most: so that beacons take a node no more than
 * about 0.5 % of a core, in epochs of any length (docs/adr/0017, Consequences).
 */
const INTERVALS: readonly { readonly seats: number; readonly ms: number }[] = [
  { seats: 7, ms: 0 },
  { seats: 16, ms: 60_000 },
  { seats: MAX_SEATS, ms: 600_000 },
]

/**
 * Who makes the beacon of an epoch: the validators of its term, in their order, that list a beacon key in the map of the
 * epoch before (docs/specs/beacon.md, Roster). Undefined for an epoch without a beacon: when fewer than a quorum of the
 * term list one, and in most epochs where there are many.
 * @param member an entry of that map
 */
export function rosterOfMap(
  { id: network, file: { mapEpochMs } }: { readonly id: string; readonly file: Pick<NetworkFile, 'mapEpochMs'> },
  epoch: number,
  { validators, quorum }: Pick<Term, 'validators' | 'quorum'>,
  member: (id: DidKey) => Pick<Member, 'roles' | 'beaconKey'> | undefined,
): BeaconRoster | undefined {
  const seats = validators.flatMap(({ id }) => {
    const { roles = [], beaconKey } = member(id) ?? {}
    return beaconKey === undefined || !roles.includes('validator') ? [] : [{ key: fromDidKey(id), beaconKey }]
  })
  if (seats.length < quorum) return undefined
  const interval = INTERVALS.find((row) => seats.length <= row.seats)
  if (interval === undefined || epoch % Math.max(1, Math.ceil(interval.ms / mapEpochMs)) !== 0) return undefined
  return beaconRoster(network, epoch, seats)
}
