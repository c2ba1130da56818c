import { WeftError, equalBytes } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, listOf, tupleOf } from '../codec/strict-values.ts'
import type { BeaconRoster } from './beacon-roster.ts'
import { MAX_SEATS } from '../network/quorum.ts'

/** One dealing of the agreed set. */
export interface BeaconInput {
  /** The seat of who dealt, from 0. */
  readonly dealer: number
  /** 32 bytes. */
  readonly dealing: Uint8Array
}

/** A value with the epoch that it is of. */
export interface BeaconLink {
  /** -1 for the value before the first beacon. */
  readonly epoch: number
  /** 32 bytes. */
  readonly value: Uint8Array
}

/** The set of dealings that the validators agree on (docs/specs/beacon.md, Inputs): it fixes the beacon's value. */
export interface BeaconInputs {
  /** The newest value before, on which this one hangs: by agreeing on the inputs the validators vouch for it. */
  readonly previous: BeaconLink
  /** In order of the seats, no seat twice; a quorum of them at least. */
  readonly dealings: readonly BeaconInput[]
  /** 32 bytes: the name of the set, SHA-256 of its encoding. */
  readonly name: Uint8Array
}

/** Bytes at most: 37 for each of 64 dealings, and the rest. */
export const MAX_INPUTS = 2560
const VERSION = 1

/** @param dealings in order of the seats */
export function encodeInputs(roster: BeaconRoster, previous: BeaconLink, dealings: readonly BeaconInput[]): Uint8Array {
  const list = dealings.map(({ dealer, dealing }) => [dealer, dealing])
  return encodeCanonical([VERSION, roster.context, [previous.epoch, previous.value], list])
}

/** @throws WeftError E_BEACON_INPUTS */
export function decodeInputs(roster: BeaconRoster, bytes: Uint8Array): BeaconInputs {
  const value = decodeCanonical(bytes, MAX_INPUTS, refuseInputs)
  const [version, context, link, list] = tupleOf(value, 'inputs', 4, refuseInputs)
  integerOf(version, 'version', VERSION, VERSION, refuseInputs)
  if (!equalBytes(bytesOf(context, 'context', 32, refuseInputs), roster.context)) {
    throw refuseInputs('they are for another network, epoch or roster')
  }
  const [epoch, before] = tupleOf(link, 'previous', 2, refuseInputs)
  const previous = {
    epoch: integerOf(epoch, 'previous.epoch', -1, roster.epoch - 1, refuseInputs),
    value: bytesOf(before, 'previous.value', 32, refuseInputs),
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
  return { previous, dealings, name: sha256(bytes) }
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
