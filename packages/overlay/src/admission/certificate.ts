import { WeftError } from '@weft/core'
import { type DidKey, shortId, verifySignature } from '@weft/crypto'
import { type Certificate, create, CertificateSchema, type Signature } from '@weft/wire'
import { epochStart } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import { requireAttester } from '../resources/require-attester.ts'
import type { Term } from '../terms/term.ts'
import { type CertificateBody, certificateHash, decodeCertificateBody } from './certificate-body.ts'

/** A certificate that was verified: a quorum of the validators of its epoch voted for exactly these bytes. */
export interface VerifiedCertificate {
  readonly body: CertificateBody
  readonly bodyBytes: Uint8Array
  /** SHA-256 of `bodyBytes`, 32 bytes. */
  readonly hash: Uint8Array
  /** Valid votes of distinct validators: the quorum. */
  readonly votes: readonly Pick<Signature, 'signer' | 'signature'>[]
}

/**
 * Verifies a certificate from anywhere. Whether it has expired is for the caller to judge: the map says what counts.
 * @throws WeftError E_CERTIFICATE_MALFORMED, E_NETWORK_MISMATCH, E_CERTIFICATE_QUORUM, E_ATTESTATION_SIGNER, E_SIGNATURE_INVALID
 */
export function verifyCertificate(
  network: Network,
  certificate: Pick<Certificate, 'body' | 'votes'>,
): VerifiedCertificate {
  const body = decodeCertificateBody(certificate.body)
  if (body.network !== network.id) {
    throw new WeftError({
      code: 'E_NETWORK_MISMATCH',
      cause: `The certificate of ${shortId(body.id)} is of the network ${body.network}; this is ${network.id}.`,
      fix: 'Start the node with the network file of the network that it shall belong to.',
    })
  }
  const latest = epochStart(network.file, body.issuedEpoch) + network.file.certificateTtlMs
  // Validators vote for no longer one; those of a term that is over could else admit nodes for as long as they like.
  if (body.expiresAt > latest) {
    throw new WeftError({
      code: 'E_CERTIFICATE_MALFORMED',
      cause: `The certificate of ${shortId(body.id)} ends at ${body.expiresAt} ms since the Unix epoch; one of epoch ${body.issuedEpoch} ends at ${latest} at the latest.`,
      fix: 'The node has to apply again.',
    })
  }
  const term = network.termAt(body.issuedEpoch)
  const votes = votesToQuorum(term, 'vote', certificate.body, certificate.votes)
  if (votes.length < term.quorum) {
    throw new WeftError({
      code: 'E_CERTIFICATE_QUORUM',
      cause: `The certificate of ${shortId(body.id)} has ${votes.length} valid votes of distinct validators; ${term.quorum} of ${term.validators.length} are needed.`,
      fix: 'The node has to apply again until enough validators vote for it; `weft check` shows what each of them says.',
    })
  }
  if (body.resources?.energy?.evidence === 'attested') requireAttester(network, body.resources.energy)
  return { body, bodyBytes: certificate.body, hash: certificateHash(certificate.body), votes }
}

type Vote = Pick<Signature, 'signer' | 'signature'>
type VotePurpose = 'vote' | 'map' | 'revoke' | 'lease' | 'agreement-vote'

/** The signatures that are valid and of distinct validators of the term. More than one per validator count once. */
export function validVotes(
  term: Term,
  purpose: VotePurpose,
  bytes: Uint8Array,
  signatures: readonly Signature[],
): readonly Vote[] {
  return count(term, purpose, bytes, signatures, { most: Infinity, bad: 'skip' })
}

/**
 * As many valid votes as a quorum of the term needs, or fewer when these are not there. The first signature in the name of
 * a validator that is not valid ends the count, as nobody honest passes one on: whoever makes up votes of 64 validators
 * costs one verification, not 64 (docs/specs/encodings.md).
 */
export function votesToQuorum(
  term: Term,
  purpose: VotePurpose,
  bytes: Uint8Array,
  signatures: readonly Signature[],
): readonly Vote[] {
  return count(term, purpose, bytes, signatures, { most: term.quorum, bad: 'end' })
}

function count(
  term: Term,
  purpose: VotePurpose,
  bytes: Uint8Array,
  signatures: readonly Signature[],
  { most, bad }: { readonly most: number; readonly bad: 'skip' | 'end' },
): readonly Vote[] {
  const valid = new Map<DidKey, Vote>()
  // More signatures than validators cannot all count: what is beyond is not worth verifying.
  for (const { signer, signature } of signatures.slice(0, term.validators.length)) {
    const id = term.validatorWith(signer)
    if (id === undefined || valid.has(id)) continue
    if (verifySignature(purpose, bytes, signature, signer)) valid.set(id, { signer, signature })
    else if (bad === 'end') break
    if (valid.size >= most) break
  }
  return [...valid.values()]
}

/** The form that crosses the wire. */
export function toWireCertificate(certificate: Pick<VerifiedCertificate, 'bodyBytes' | 'votes'>): Certificate {
  return create(CertificateSchema, {
    body: certificate.bodyBytes,
    votes: certificate.votes.map((vote) => ({ ...vote })),
  })
}
