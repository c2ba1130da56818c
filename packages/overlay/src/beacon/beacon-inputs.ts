import { WeftError, equalBytes } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, listOf, tupleOf } from '../codec/strict-values.ts'
import { type BeaconRoster, MAX_SEATS } from './beacon-roster.ts'

/** One dealing of the agreed set. */
export interface BeaconInput {
  /** The seat of who dealt, from 0. */
  readonly dealer: number
  /** 32 bytes. */
  readonly dealing: Uint8Array
}

/** The set of dealings that the validators agree on (docs/specs/beacon.md, Inputs): it fixes the beacon's value. */
export interface BeaconInputs {
  /** In order of the seats, no seat twice; a quorum of them at least. */
  readonly dealings: readonly BeaconInput[]
  /** 32 bytes: the name of the set, SHA-256 of its encoding. */
  readonly name: Uint8Array
}

/** Bytes at most: 37 for each of 64 dealings, and the rest. */
export const MAX_INPUTS = 2560
const VERSION = 1

/** @param dealings in order of the seats */
export function encodeInputs(roster: BeaconRoster, dealings: readonly BeaconInput[]): Uint8Array {
  return encodeCanonical([VERSION, roster.context, dealings.map(({ dealer, dealing }) => [dealer, dealing])])
}

/** @throws WeftError E_BEACON_INPUTS */
export function decodeInputs(roster: BeaconRoster, bytes: Uint8Array): BeaconInputs {
  const [version, context, list] = tupleOf(decodeCanonical(bytes, MAX_INPUTS, refuseInputs), 'inputs', 3, refuseInputs)
  integerOf(version, 'version', VERSION, VERSION, refuseInputs)
  if (!equalBytes(bytesOf(context, 'context', 32, refuseInputs), roster.context)) {
    throw refuseInputs('they are for another network, epoch or roster')
  }
  const dealings = listOf(list, 'dealings', 1, MAX_SEATS, refuseInputs, inputOf)
  for (const [at, { dealer }] of dealings.entries()) {
    if (dealer >= roster.seats.length) throw refuseInputs(`there is no seat ${dealer}`)
    if (at > 0 && dealer <= (dealings[at - 1] as BeaconInput).dealer) throw refuseInputs('seats are not in order')
  }
  if (dealings.length < roster.quorum) {
    throw refuseInputs(
      `they are ${dealings.length} dealings, and ${roster.quorum} of ${roster.seats.length} are needed`,
    )
  }
  return { dealings, name: sha256(bytes) }
}

function inputOf(value: unknown, path: string): BeaconInput {
  const [dealer, dealing] = tupleOf(value, path, 2, refuseInputs)
  return {
    dealer: integerOf(dealer, `${path}.dealer`, 0, MAX_SEATS - 1, refuseInputs),
    dealing: bytesOf(dealing, `${path}.dealing`, 32, refuseInputs),
  }
}

export function refuseInputs(why: string): WeftError {
  return new WeftError({
    code: 'E_BEACON_INPUTS',
    cause: `The inputs of a beacon cannot be used: ${why}.`,
    fix: 'The validator that proposed them has to follow docs/specs/beacon.md; the next proposal takes their place.',
  })
}
