import { WeftError } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, listOf, tupleOf } from '../codec/strict-values.ts'
import { ELEMENT_BYTES, type Element } from './group.ts'
import { SCALAR_BYTES, isScalar } from './scalar.ts'
import { MAX_SEATS } from '../network/quorum.ts'

/** One validator's sharing of a random secret among all (docs/specs/beacon.md, Dealing). */
export interface Dealing {
  /** 32 bytes: of the roster. */
  readonly context: Uint8Array
  /** The seat of who deals, from 0. */
  readonly dealer: number
  /** The key of this dealing, used for it alone. */
  readonly dealingKey: Element
  /** The share of each seat, encrypted to it. */
  readonly shares: readonly Element[]
  /** A scalar. */
  readonly challenge: Uint8Array
  /** A scalar. */
  readonly response: Uint8Array
}

/** A dealing as it travels: whoever passes it on cannot change it, and it says by itself who made it. */
export interface SignedDealing {
  readonly body: Uint8Array
  /** 64 bytes, by the node key of the dealer's seat for the purpose `beacon-dealing`. */
  readonly signature: Uint8Array
}

/** Bytes of one encoded body at most: 34 for each of 64 seats, and the rest. */
export const MAX_DEALING = 2560
const VERSION = 1

export function encodeDealing(dealing: Dealing): Uint8Array {
  const { context, dealer, dealingKey, shares, challenge, response } = dealing
  return encodeCanonical([VERSION, context, dealer, dealingKey, shares, challenge, response])
}

/** Reads the form; whether the elements are any is for `verifyDealing`. @throws WeftError E_BEACON_DEALING */
export function decodeDealing(bytes: Uint8Array): Dealing {
  const value = decodeCanonical(bytes, MAX_DEALING, refuseDealing)
  const [version, context, dealer, dealingKey, shares, challenge, response] = tupleOf(
    value,
    'dealing',
    7,
    refuseDealing,
  )
  integerOf(version, 'version', VERSION, VERSION, refuseDealing)
  return {
    context: bytesOf(context, 'context', 32, refuseDealing),
    dealer: integerOf(dealer, 'dealer', 0, MAX_SEATS - 1, refuseDealing),
    dealingKey: bytesOf(dealingKey, 'dealingKey', ELEMENT_BYTES, refuseDealing),
    shares: listOf(shares, 'shares', 1, MAX_SEATS, refuseDealing, (item, path) =>
      bytesOf(item, path, ELEMENT_BYTES, refuseDealing),
    ),
    challenge: scalarOf(challenge, 'challenge'),
    response: scalarOf(response, 'response'),
  }
}

/** The name of a dealing: SHA-256 of its body. */
export function dealingName(body: Uint8Array): Uint8Array {
  return sha256(body)
}

export function refuseDealing(why: string): WeftError {
  return new WeftError({
    code: 'E_BEACON_DEALING',
    cause: `A dealing of the beacon cannot be used: ${why}.`,
    fix: 'The validator that made it has to follow docs/specs/beacon.md; the beacon goes on without its dealing.',
  })
}

function scalarOf(value: unknown, path: string): Uint8Array {
  const bytes = bytesOf(value, path, SCALAR_BYTES, refuseDealing)
  if (!isScalar(bytes)) throw refuseDealing(`${path} is not below the order of the group`)
  return bytes
}
