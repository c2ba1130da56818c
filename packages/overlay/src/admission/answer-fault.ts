import { equalBytes } from '@weft/core'
import { verifySignature } from '@weft/crypto'
import type { SignedEnvelope } from '@weft/wire'
import type { ChallengeAnswer } from './challenge-answer.ts'

/** What a challenge asked. */
export interface Challenged {
  readonly nonce: Uint8Array
  /** 32 bytes: the validator in whose name it was put. */
  readonly validator: Uint8Array
  /** The address that was dialled. */
  readonly address: string
  /** 32 bytes: whose answer it has to be. */
  readonly key: Uint8Array
}

/** Why this is not the answer of the applicant to this challenge; undefined when it is. */
export function answerFault(
  envelope: SignedEnvelope,
  answer: ChallengeAnswer,
  { nonce, validator, address, key }: Challenged,
): string | undefined {
  if (!equalBytes(envelope.signer, key) || !verifySignature('challenge', envelope.payload, envelope.signature, key)) {
    return 'the answer is not signed by the key of the applicant.'
  }
  const fits = equalBytes(answer.nonce, nonce) && equalBytes(answer.validator, validator) && answer.address === address
  return fits ? undefined : 'the answer is to another challenge.'
}
