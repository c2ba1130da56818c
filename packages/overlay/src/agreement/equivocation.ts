import { compareBytes, equalBytes } from '@weft/core'
import { AgreementEvidenceSchema, type AgreementEvidence, create } from '@weft/wire'
import { malformed } from './malformed.ts'
import { decodeProposal } from './proposal.ts'
import type { ValidatorSet } from './validator-set.ts'
import { decodeVote } from './vote.ts'

/** Two signed statements that no honest validator makes both. Anyone can verify it (`verifyEquivocation`). */
export interface Equivocation {
  readonly validator: number
  readonly of: 'proposal' | 'vote'
  readonly first: SignedPayload
  readonly second: SignedPayload
}

export interface SignedPayload {
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

/** What two statements must share to contradict each other. */
interface Place {
  readonly network: string
  readonly epoch: number
  readonly round: number
  readonly phase?: string
}

/** The form in which it is kept and handed on. The lesser payload comes first, so that there is one form of it. */
export function encodeEquivocation(
  set: ValidatorSet,
  { validator, of, first, second }: Equivocation,
): AgreementEvidence {
  const [lesser, greater] = compareBytes(first.payload, second.payload) < 0 ? [first, second] : [second, first]
  const signer = set.keyOf(validator)
  return create(AgreementEvidenceSchema, {
    proposal: of === 'proposal',
    firstPayload: lesser.payload,
    secondPayload: greater.payload,
    first: { signer, signature: lesser.signature },
    second: { signer, signature: greater.signature },
  })
}

/**
 * Whether a validator of the network signed two proposals of one round, or two votes of one phase of one round.
 * @returns the validator's place in the set and the epoch in which it did
 * @throws WeftError E_AGREEMENT_MALFORMED when it proves nothing
 */
export function verifyEquivocation(
  set: ValidatorSet,
  { proposal, firstPayload, secondPayload, first, second }: AgreementEvidence,
): { readonly validator: number; readonly epoch: number } {
  const place = (payload: Uint8Array): Place => (proposal ? decodeProposal(payload) : decodeVote(payload))
  const [one, other] = [place(firstPayload), place(secondPayload)]
  if (equalBytes(firstPayload, secondPayload)) throw malformed('evidence names one statement twice')
  const same =
    one.network === other.network && one.epoch === other.epoch && one.round === other.round && one.phase === other.phase
  if (!same || one.network !== set.networkId) throw malformed('the statements of evidence do not contradict each other')
  const validator = first === undefined ? undefined : set.indexOf(first.signer)
  if (
    validator === undefined ||
    first === undefined ||
    second === undefined ||
    !equalBytes(first.signer, second.signer)
  ) {
    throw malformed('evidence is not signed twice by one validator')
  }
  const purpose = proposal ? 'agreement-proposal' : 'agreement-vote'
  for (const [payload, { signature }] of [
    [firstPayload, first],
    [secondPayload, second],
  ] as const) {
    if (!set.isSigned(purpose, payload, validator, signature)) throw malformed('a signature of evidence is not valid')
  }
  return { validator, epoch: one.epoch }
}
