import { WeftError, compareBytes } from '@weft/core'
import { sha256, shortId } from '@weft/crypto'
import { type Revocation, RevocationSchema, type Signature, create } from '@weft/wire'
import { votesToQuorum } from '../admission/certificate.ts'
import type { CertificateBody } from '../admission/certificate-body.ts'
import { epochAt, epochStart } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import { type RevocationBody, decodeRevocationBody } from './revocation-body.ts'

/** A revocation that a quorum of the network's validators voted for. */
export interface VerifiedRevocation {
  readonly body: RevocationBody
  readonly bodyBytes: Uint8Array
  /** SHA-256 of `bodyBytes`, 32 bytes. */
  readonly hash: Uint8Array
  readonly votes: readonly Pick<Signature, 'signer' | 'signature'>[]
}

/** Bytes of a revocation in its wire form: its body and up to 64 votes of about 100 bytes. */
export const MAX_WIRE_REVOCATION = 8 * 1024
/** The longest that a key may be kept out by one decision, ms: 400 days. */
const LONGEST_BLOCK_MS = 400 * 24 * 3_600_000

/**
 * Reads what a validator is to vote for, or what a quorum voted for.
 * @throws WeftError E_REVOCATION_MALFORMED, E_NETWORK_MISMATCH
 */
export function readRevocation(network: Network, bodyBytes: Uint8Array): RevocationBody {
  const body = decodeRevocationBody(bodyBytes)
  if (body.network !== network.id) {
    throw new WeftError({
      code: 'E_NETWORK_MISMATCH',
      cause: `The revocation of ${shortId(body.id)} is of the network ${body.network}; this is ${network.id}.`,
      fix: 'Start the node with the network file of the network that it shall belong to.',
    })
  }
  if (body.blockedUntil > body.decidedAt + LONGEST_BLOCK_MS) {
    throw new WeftError({
      code: 'E_REVOCATION_MALFORMED',
      cause: `The revocation of ${shortId(body.id)} keeps it out for longer than ${LONGEST_BLOCK_MS / 86_400_000} days.`,
      fix: 'Name a shorter time, and decide again when it is over.',
    })
  }
  // Whoever had a seat once must not decide about what others certify after it.
  if (body.issuedUpTo > epochAt(network.file, body.decidedAt)) {
    throw new WeftError({
      code: 'E_REVOCATION_MALFORMED',
      cause: `The revocation of ${shortId(body.id)} voids certificates of epochs up to ${body.issuedUpTo}, behind the time at which it was decided.`,
      fix: 'Name the epoch of the decision at most; keep the key out by a time.',
    })
  }
  return body
}

/** Verifies a revocation from anywhere. @throws WeftError E_REVOCATION_MALFORMED, E_NETWORK_MISMATCH, E_REVOCATION_QUORUM */
export function verifyRevocation(network: Network, message: Pick<Revocation, 'body' | 'votes'>): VerifiedRevocation {
  const body = readRevocation(network, message.body)
  const term = network.termAt(epochAt(network.file, body.decidedAt))
  const votes = votesToQuorum(term, 'revoke', message.body, message.votes)
  if (votes.length < term.quorum) {
    throw new WeftError({
      code: 'E_REVOCATION_QUORUM',
      cause: `The revocation of ${shortId(body.id)} has ${votes.length} valid votes of distinct validators; ${term.quorum} of ${term.validators.length} are needed.`,
      fix: 'Nothing to do: only what a quorum decided counts.',
    })
  }
  return { body, bodyBytes: message.body, hash: sha256(message.body), votes }
}

/** Whether a certificate is void by this decision. */
export function isVoid(certificate: Pick<CertificateBody, 'issuedEpoch' | 'id'>, revocation: RevocationBody): boolean {
  return certificate.id === revocation.id && certificate.issuedEpoch <= revocation.issuedUpTo
}

/** Two decisions of which one keeps a key out for less longer than this are about as long, ms: a day. */
const SAME_BLOCK_MS = 24 * 3_600_000

/** Whether a decision takes an earlier one back, and does nothing else. */
export function isWayBack({ issuedUpTo, blockedUntil }: Pick<RevocationBody, 'issuedUpTo' | 'blockedUntil'>): boolean {
  return issuedUpTo < 0 && blockedUntil === 0
}

/** Whether a decision in force does all that another one about the same key would, but for less than a day. @param now ms since the Unix epoch */
export function covers(
  known: RevocationBody,
  wanted: Pick<RevocationBody, 'issuedUpTo' | 'blockedUntil'>,
  now: number,
): boolean {
  if (isWayBack(known) || isWayBack(wanted)) return isWayBack(known) && isWayBack(wanted)
  // While the key is kept out it gets no certificate that would have to be void.
  const voids = known.blockedUntil > now || known.issuedUpTo >= wanted.issuedUpTo
  return voids && known.blockedUntil + SAME_BLOCK_MS > wanted.blockedUntil
}

/** When a decision has no effect any more, ms since the Unix epoch: all that it voids has ended and the key is free. */
export function endOf(network: Network, { issuedUpTo, blockedUntil, decidedAt }: RevocationBody): number {
  const { certificateTtlMs, clockToleranceMs } = network.file
  // One that takes another back is remembered for as long as that one could have been.
  if (issuedUpTo < 0) return decidedAt + LONGEST_BLOCK_MS
  return Math.max(blockedUntil, epochStart(network.file, issuedUpTo) + certificateTtlMs) + clockToleranceMs
}

/** Of two decisions about one key the later counts; of two of the same time all nodes choose the same. */
export function isLater(candidate: VerifiedRevocation, known: VerifiedRevocation | undefined): boolean {
  if (known === undefined || candidate.body.decidedAt > known.body.decidedAt) return true
  return candidate.body.decidedAt === known.body.decidedAt && compareBytes(candidate.hash, known.hash) > 0
}

/** The form that crosses the wire. */
export function toWireRevocation({ bodyBytes, votes }: Pick<VerifiedRevocation, 'bodyBytes' | 'votes'>): Revocation {
  return create(RevocationSchema, { body: bodyBytes, votes: votes.map((vote) => ({ ...vote })) })
}
