import { WeftError } from '@weft/core'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, tupleOf } from '../codec/strict-values.ts'
import { ELEMENT_BYTES, type Element } from './group.ts'
import { SCALAR_BYTES, isScalar } from './scalar.ts'
import { MAX_SEATS } from '../network/quorum.ts'

/** What opens one seat's share of the agreed set, with its proof (docs/specs/beacon.md, Share). */
export interface BeaconShare {
  /** 32 bytes: the name of the agreed inputs. */
  readonly inputs: Uint8Array
  /** From 0. */
  readonly seat: number
  /** The tally's key times the seat's secret key: what its share is encrypted with. */
  readonly opening: Element
  /** A scalar. */
  readonly challenge: Uint8Array
  /** A scalar. */
  readonly response: Uint8Array
}

/** Bytes of an encoded share at most. */
export const MAX_SHARE = 160
const VERSION = 1

export function encodeShare({ inputs, seat, opening, challenge, response }: BeaconShare): Uint8Array {
  return encodeCanonical([VERSION, inputs, seat, opening, challenge, response])
}

/** @throws WeftError E_BEACON_SHARE */
export function decodeShare(bytes: Uint8Array): BeaconShare {
  const value = decodeCanonical(bytes, MAX_SHARE, refuseShare)
  const [version, inputs, seat, opening, challenge, response] = tupleOf(value, 'share', 6, refuseShare)
  integerOf(version, 'version', VERSION, VERSION, refuseShare)
  return {
    inputs: bytesOf(inputs, 'inputs', 32, refuseShare),
    seat: integerOf(seat, 'seat', 0, MAX_SEATS - 1, refuseShare),
    opening: bytesOf(opening, 'opening', ELEMENT_BYTES, refuseShare),
    challenge: scalarOf(challenge, 'challenge'),
    response: scalarOf(response, 'response'),
  }
}

export function refuseShare(why: string): WeftError {
  return new WeftError({
    code: 'E_BEACON_SHARE',
    cause: `A share of the beacon cannot be used: ${why}.`,
    fix: 'The validator that sent it has to follow docs/specs/beacon.md; any quorum of right shares gives the same value.',
  })
}

function scalarOf(value: unknown, path: string): Uint8Array {
  const bytes = bytesOf(value, path, SCALAR_BYTES, refuseShare)
  if (!isScalar(bytes)) throw refuseShare(`${path} is not below the order of the group`)
  return bytes
}
