import { WeftError } from '@weft/core'
import { type DidKey, toDidKey } from '@weft/crypto'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, textOf, timeOf, tupleOf } from '../codec/strict-values.ts'
import { MAX_EPOCH } from '../network/epoch.ts'
import { NETWORK_ID } from '../network/network-id.ts'

/** Why a node is ejected; it reads the words in its own status. */
export const REVOCATION_REASONS = {
  equivocation: 'it signed two things of which it may sign only one',
  conformance: 'it does not keep to the protocol',
  abuse: 'it harms the network or its users',
  compromised: 'its key is in other hands',
  retired: 'its operator takes it out for good',
  withdrawn: 'an earlier revocation is taken back',
} as const

export type RevocationReason = keyof typeof REVOCATION_REASONS

/** What validators decide of one node (docs/specs/admission.md, Revocation). The newest decision about a key counts. */
export interface RevocationBody {
  readonly network: string
  /** 32 bytes, Ed25519. */
  readonly key: Uint8Array
  /** The did:key of `key`. */
  readonly id: DidKey
  /** Certificates issued in this map epoch or before are void; -1: none, which takes an earlier revocation back. */
  readonly issuedUpTo: number
  /** ms since the Unix epoch: until then the key is not certified again. */
  readonly blockedUntil: number
  readonly reason: RevocationReason
  /** ms since the Unix epoch, by the clock of the validator that proposed it. */
  readonly decidedAt: number
}

/** Bytes of an encoded body at most. */
const MAX_REVOCATION_BODY = 256
const VERSION = 1
const FIELDS = 7
const REASON = new RegExp(`^(${Object.keys(REVOCATION_REASONS).join('|')})$`)

export function encodeRevocationBody(body: Omit<RevocationBody, 'id'>): Uint8Array {
  return encodeCanonical([
    VERSION,
    body.network,
    body.key,
    body.issuedUpTo,
    body.blockedUntil,
    body.reason,
    body.decidedAt,
  ])
}

/** @throws WeftError E_REVOCATION_MALFORMED */
export function decodeRevocationBody(bytes: Uint8Array): RevocationBody {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_REVOCATION_BODY, refuse), 'body', FIELDS, refuse)
  const [version, network, key, issuedUpTo, blockedUntil, reason, decidedAt] = tuple
  integerOf(version, 'version', VERSION, VERSION, refuse)
  const publicKey = bytesOf(key, 'key', 32, refuse)
  return {
    network: textOf(network, 'network', NETWORK_ID, 33, refuse),
    key: publicKey,
    id: toDidKey(publicKey),
    issuedUpTo: integerOf(issuedUpTo, 'issuedUpTo', -1, MAX_EPOCH, refuse),
    blockedUntil: timeOf(blockedUntil, 'blockedUntil', refuse),
    reason: textOf(reason, 'reason', REASON, 16, refuse) as RevocationReason,
    decidedAt: timeOf(decidedAt, 'decidedAt', refuse),
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_REVOCATION_MALFORMED',
    cause: `The body of a revocation cannot be used: ${why}.`,
    fix: 'The validator that made it has to follow docs/specs/admission.md; update the older of the two sides.',
  })
}
