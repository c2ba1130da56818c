import { WeftError } from '@weft/core'
import { type DidKey, toDidKey } from '@weft/crypto'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, distinct, integerOf, listOf, textOf, timeOf, tupleOf } from '../codec/strict-values.ts'
import { MAX_EPOCH } from '../network/epoch.ts'
import { NETWORK_ID } from '../network/network-id.ts'

/** What a client lends: it carries packets of others, or computes for them while it is idle. Never does it keep data. */
export const LEASE_USES = ['forward', 'compute'] as const
export type LeaseUse = (typeof LEASE_USES)[number]

/** What a quorum of validators allows a client for a short time (docs/specs/leases.md). */
export interface LeaseBody {
  readonly network: string
  /** 32 bytes, Ed25519: of the node. */
  readonly key: Uint8Array
  /** The did:key of `key`. */
  readonly id: DidKey
  readonly uses: readonly LeaseUse[]
  /** Map epoch in which it was asked for. */
  readonly issuedEpoch: number
  /** ms since the Unix epoch. */
  readonly expiresAt: number
}

/** Bytes of an encoded body at most. */
export const MAX_LEASE_BODY = 160
const VERSION = 1
const FIELDS = 6
const USE = new RegExp(`^(${LEASE_USES.join('|')})$`)

export function encodeLeaseBody(body: Omit<LeaseBody, 'id'>): Uint8Array {
  return encodeCanonical([VERSION, body.network, body.key, body.uses, body.issuedEpoch, body.expiresAt])
}

/** @throws WeftError E_LEASE_MALFORMED */
export function decodeLeaseBody(bytes: Uint8Array): LeaseBody {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_LEASE_BODY, refuse), 'body', FIELDS, refuse)
  const [version, network, key, uses, issuedEpoch, expiresAt] = tuple
  integerOf(version, 'version', VERSION, VERSION, refuse)
  const publicKey = bytesOf(key, 'key', 32, refuse)
  return {
    network: textOf(network, 'network', NETWORK_ID, 33, refuse),
    key: publicKey,
    id: toDidKey(publicKey),
    uses: distinct(
      listOf(uses, 'uses', 1, LEASE_USES.length, refuse, (use, path) => textOf(use, path, USE, 8, refuse) as LeaseUse),
      'uses',
      refuse,
    ),
    issuedEpoch: integerOf(issuedEpoch, 'issuedEpoch', 0, MAX_EPOCH, refuse),
    expiresAt: timeOf(expiresAt, 'expiresAt', refuse),
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_LEASE_MALFORMED',
    cause: `The body of a lease cannot be used: ${why}.`,
    fix: 'The node that made it has to follow docs/specs/leases.md; update the older of the two sides.',
  })
}
