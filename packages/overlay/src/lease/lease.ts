import { WeftError, compareBytes } from '@weft/core'
import { sha256, shortId } from '@weft/crypto'
import { type Lease, LeaseSchema, type Signature, create } from '@weft/wire'
import { votesToQuorum } from '../admission/certificate.ts'
import { epochStart } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import { type LeaseBody, decodeLeaseBody } from './lease-body.ts'

/** A lease that was verified: a quorum of the validators of its epoch voted for exactly these bytes. */
export interface VerifiedLease {
  readonly body: LeaseBody
  readonly bodyBytes: Uint8Array
  /** SHA-256 of `bodyBytes`, 32 bytes. */
  readonly hash: Uint8Array
  readonly votes: readonly Pick<Signature, 'signer' | 'signature'>[]
}

/** Bytes of a lease in its wire form: its body and up to 64 votes of about 100 bytes. */
export const MAX_WIRE_LEASE = 8 * 1024
/** The life of a lease, ms. */
const LEASE_MS = 3_600_000

/**
 * When a lease of this epoch ends at the latest, ms since the Unix epoch: an hour behind the end of the epoch, which may be as
 * long itself, or after the life of a certificate, where that is shorter.
 */
export function leaseEnd({ file }: Network, issuedEpoch: number): number {
  return epochStart(file, issuedEpoch + 1) + Math.min(LEASE_MS, file.certificateTtlMs)
}

/**
 * Reads what a validator is to vote for, or what a quorum voted for.
 * @throws WeftError E_LEASE_MALFORMED, E_NETWORK_MISMATCH
 */
export function readLease(network: Network, bodyBytes: Uint8Array): LeaseBody {
  const body = decodeLeaseBody(bodyBytes)
  if (body.network !== network.id) {
    throw new WeftError({
      code: 'E_NETWORK_MISMATCH',
      cause: `The lease of ${shortId(body.id)} is of the network ${body.network}; this is ${network.id}.`,
      fix: 'Start the node with the network file of the network that it shall belong to.',
    })
  }
  const latest = leaseEnd(network, body.issuedEpoch)
  // Validators vote for no longer one; those of a term that is over could else give leases for as long as they like.
  if (body.expiresAt > latest) {
    throw new WeftError({
      code: 'E_LEASE_MALFORMED',
      cause: `The lease of ${shortId(body.id)} ends at ${body.expiresAt} ms since the Unix epoch; one of epoch ${body.issuedEpoch} ends at ${latest} at the latest.`,
      fix: 'The node has to ask for a lease again.',
    })
  }
  return body
}

/**
 * Verifies a lease from anywhere. Whether it has ended is for the caller to judge.
 * @throws WeftError E_LEASE_MALFORMED, E_NETWORK_MISMATCH, E_LEASE_QUORUM
 */
export function verifyLease(network: Network, message: Pick<Lease, 'body' | 'votes'>): VerifiedLease {
  const body = readLease(network, message.body)
  const term = network.termAt(body.issuedEpoch)
  const votes = votesToQuorum(term, 'lease', message.body, message.votes)
  if (votes.length < term.quorum) {
    throw new WeftError({
      code: 'E_LEASE_QUORUM',
      cause: `The lease of ${shortId(body.id)} has ${votes.length} valid votes of distinct validators; ${term.quorum} of ${term.validators.length} are needed.`,
      fix: 'The node has to ask until enough validators vote for it; `weft leases` shows what each of them says.',
    })
  }
  return { body, bodyBytes: message.body, hash: sha256(message.body), votes }
}

/** Of two leases of one key the later counts; of two of one epoch all nodes choose the same. */
export function isNewer(candidate: VerifiedLease, known: VerifiedLease): boolean {
  const { body } = known
  if (candidate.body.issuedEpoch !== body.issuedEpoch) return candidate.body.issuedEpoch > body.issuedEpoch
  return compareBytes(candidate.hash, known.hash) > 0
}

/** The form that crosses the wire. */
export function toWireLease({ bodyBytes, votes }: Pick<VerifiedLease, 'bodyBytes' | 'votes'>): Lease {
  return create(LeaseSchema, { body: bodyBytes, votes: votes.map((vote) => ({ ...vote })) })
}
