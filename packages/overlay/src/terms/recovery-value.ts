import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { integerOf, listOf, tupleOf } from '../codec/strict-values.ts'
import { SeatLimits } from '../committee/seat-limits.ts'
import { MAX_EPOCH } from '../network/epoch.ts'
import type { NetworkFile } from '../network/network-file.ts'
import { directAddresses } from './direct-addresses.ts'
import { type Electors, MAX_ELECTORS } from './electors.ts'
import { longestSilenceEpochs, silenceEpochs } from './recovery-times.ts'
import { refuseSuccession } from './refuse-succession.ts'
import { rotationAt } from './rotation-times.ts'
import type { Seat, Term, TermInit } from './term.ts'

/** What electors agree on (docs/specs/terms.md, Value). */
export interface RecoveryValue {
  /** First map epoch of the new term. */
  readonly fromEpoch: number
  /** Places among the electors, ascending, of those who get a seat. */
  readonly seats: readonly number[]
}

const VERSION = 1
const MAX_BYTES = 512
/** Whoever is drawn from all members is as likely hostile as any: of 16, eleven must sign. */
const USUAL_SEATS = 16

/** Seats of the term behind `term`: as many as before, and no fewer than 16 unless the network file allows fewer. */
export function seatsWanted({ committeeSize }: Pick<NetworkFile, 'committeeSize'>, term: Term): number {
  return Math.max(term.validators.length, Math.min(USUAL_SEATS, committeeSize))
}

export function encodeRecoveryValue({ fromEpoch, seats }: RecoveryValue): Uint8Array {
  return encodeCanonical([VERSION, fromEpoch, seats])
}

/** @throws WeftError E_SUCCESSION */
export function decodeRecoveryValue(bytes: Uint8Array): RecoveryValue {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_BYTES, refuseSuccession), 'value', 3, refuseSuccession)
  const [version, fromEpoch, list] = tuple
  integerOf(version, 'version', VERSION, VERSION, refuseSuccession)
  const seats = listOf(list, 'seats', 1, MAX_ELECTORS, refuseSuccession, (item, path) =>
    integerOf(item, path, 0, MAX_ELECTORS - 1, refuseSuccession),
  )
  for (let at = 1; at < seats.length; at++) {
    if ((seats[at - 1] as number) >= (seats[at] as number)) throw refuseSuccession('its seats are not in order')
  }
  return { fromEpoch: integerOf(fromEpoch, 'fromEpoch', 0, MAX_EPOCH, refuseSuccession), seats }
}

/**
 * The seats that follow from who is there: electors in the order in which they were drawn, but for those behind relays and
 * unless two of their family or network have a seat, until there are enough.
 * @param isThere by place among the electors
 * @returns ascending
 */
export function seatsOf(
  { members }: Pick<Electors, 'members'>,
  wanted: number,
  isThere: (elector: number) => boolean,
): number[] {
  const limits = new SeatLimits()
  const seats: number[] = []
  for (const [elector, { member }] of members.entries()) {
    if (seats.length === wanted) break
    if (directAddresses(member).length === 0 || !isThere(elector) || !limits.allows(member)) continue
    limits.take(member)
    seats.push(elector)
  }
  return seats
}

/** The term that a value begins. @throws WeftError E_SUCCESSION when it cannot follow the one before */
export function nextTerm(
  file: NetworkFile,
  { members }: Pick<Electors, 'members'>,
  term: Term,
  anchorEpoch: number,
  { fromEpoch, seats }: RecoveryValue,
): TermInit {
  const earliest = anchorEpoch + silenceEpochs(file)
  const latest = anchorEpoch + longestSilenceEpochs(file)
  if (fromEpoch < earliest || fromEpoch > latest)
    throw refuseSuccession(
      `it begins in epoch ${fromEpoch}; behind a map of ${anchorEpoch} one begins in ${earliest} to ${latest}`,
    )
  const wanted = seatsWanted(file, term)
  if (seats.length > wanted) throw refuseSuccession(`it has ${seats.length} seats; ${wanted} are the most`)
  const validators = seats.map((elector): Seat => {
    const entry = members[elector]
    if (entry === undefined) throw refuseSuccession(`there is no elector ${elector}`)
    const { id, family } = entry.member
    const addresses = directAddresses(entry.member)
    if (addresses.length === 0) throw refuseSuccession(`elector ${elector} is reached over relays only`)
    return { id, addresses, family }
  })
  // All seats were drawn anew: the next rotation is that behind it.
  return { number: term.number + 1, fromEpoch, validators, rotation: rotationAt(file, fromEpoch) }
}
