import { utf8 } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { encodeCanonical } from '../codec/canonical-cbor.ts'
import { MAX_SEATS, quorumOf } from '../network/quorum.ts'
import type { Element } from './group.ts'

/** A validator that takes part in one beacon. */
export interface BeaconSeat {
  /** 32 bytes: its Ed25519 node key, which signs its dealing. */
  readonly key: Uint8Array
  /** Verified by `verifyBeaconKey`. */
  readonly beaconKey: Element
}

/** Who makes the beacon of an epoch, in an order that all have in common (docs/specs/beacon.md, Roster). */
export interface BeaconRoster {
  readonly network: string
  readonly epoch: number
  readonly seats: readonly BeaconSeat[]
  /**
   * N - f: dealings that a set needs at least, and shares that give the value. Whoever has fewer seats can neither know
   * the value early nor shape it, and all but f of the seats are enough to have it.
   */
  readonly quorum: number
  /** 32 bytes: what every dealing and proof of this beacon is bound to. */
  readonly context: Uint8Array
}

const CONTEXT = utf8('weft:beacon-roster:v1\0')

/** @throws RangeError for no seats or too many, or a validator that has two */
export function beaconRoster(network: string, epoch: number, seats: readonly BeaconSeat[]): BeaconRoster {
  if (seats.length < 1 || seats.length > MAX_SEATS) throw new RangeError(`beacon: a roster of ${seats.length} seats`)
  if (new Set(seats.map(({ key }) => key.toHex())).size < seats.length)
    throw new RangeError('beacon: a validator has two seats')
  const listed = encodeCanonical([network, epoch, seats.map(({ key, beaconKey }) => [key, beaconKey])])
  return { network, epoch, seats, quorum: quorumOf(seats.length), context: sha256(CONTEXT, listed) }
}

/** The number of a seat as hashes take it: two bytes, big-endian. */
export function seatBytes(seat: number): Uint8Array {
  return Uint8Array.of(seat >> 8, seat & 255)
}
