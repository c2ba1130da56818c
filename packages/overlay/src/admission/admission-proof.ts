import { WeftError } from '@weft/core'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { type Refusal, bytesOf, tupleOf } from '../codec/strict-values.ts'
import { MAX_INVITATION } from '../invitation/invitation.ts'
import type { InvitationProof } from '../invitation/invitation-proof.ts'

/** What an applicant shows beside its application where the policy asks for more than the checks. */
export type AdmissionProof =
  | ({ readonly way: 'invite' } & InvitationProof)
  | { readonly way: 'stake'; readonly bytes: Uint8Array }

/** Bytes of one proof as it is encoded, at most. */
export const MAX_ADMISSION_PROOF = 1024
/** Bytes of a proof of stake: leaves room for what is around it. */
const MAX_STAKE_PROOF = MAX_ADMISSION_PROOF - 16

/** The field `proof` of an application as it is encoded. */
export function proofField(proof: AdmissionProof | undefined): unknown {
  if (proof === undefined) return null
  if (proof.way === 'stake') return ['stake', proof.bytes]
  const { payload, signer, signature } = proof.envelope
  return ['invite', payload, signer, signature, proof.use]
}

/** @throws refusal */
export function proofOf(value: unknown, refuse: Refusal): AdmissionProof | undefined {
  if (value === null) return undefined
  const way: unknown = Array.isArray(value) ? value[0] : undefined
  if (way === 'stake') {
    const [, bytes] = tupleOf(value, 'proof', 2, refuse)
    return { way, bytes: shortBytesOf(bytes, 'proof of stake', MAX_STAKE_PROOF, refuse) }
  }
  if (way !== 'invite') throw refuse('proof must be null, or begin with invite or stake')
  const [, payload, signer, signature, use] = tupleOf(value, 'proof', 5, refuse)
  return {
    way,
    envelope: {
      payload: shortBytesOf(payload, 'invitation', MAX_INVITATION, refuse),
      signer: bytesOf(signer, 'signer of the invitation', 32, refuse),
      signature: bytesOf(signature, 'signature of the invitation', 64, refuse),
    },
    use: bytesOf(use, 'signature for the node', 64, refuse),
  }
}

/** A proof as a node keeps it in a file. */
export function encodeAdmissionProof(proof: AdmissionProof): Uint8Array {
  return encodeCanonical(proofField(proof))
}

/** @throws WeftError E_ADMISSION_PROOF */
export function decodeAdmissionProof(bytes: Uint8Array): AdmissionProof {
  const proof = proofOf(decodeCanonical(bytes, MAX_ADMISSION_PROOF, malformed), malformed)
  if (proof === undefined) throw malformed('it is empty')
  return proof
}

function shortBytesOf(value: unknown, path: string, max: number, refuse: Refusal): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length === 0 || value.length > max)
    throw refuse(`${path} must be 1 to ${max} bytes`)
  return value
}

function malformed(why: string): WeftError {
  return new WeftError({
    code: 'E_ADMISSION_PROOF',
    cause: `The proof that lets this node be admitted cannot be read: ${why}.`,
    fix: 'Join again with a token of the network: weft network join -.',
  })
}
