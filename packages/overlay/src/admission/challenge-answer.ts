import { WeftError } from '@weft/core'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, timeOf, tupleOf } from '../codec/strict-values.ts'
import { MAX_CERTIFIED_ADDRESS } from '../network/relayed-address.ts'

/** What an applicant signs (purpose `challenge`) when a validator dials it back. */
export interface ChallengeAnswer {
  /** 32 bytes that the validator drew. */
  readonly nonce: Uint8Array
  /** 32 bytes: the validator that asks. */
  readonly validator: Uint8Array
  /** The address that was dialled. */
  readonly address: string
  /** The applicant's clock, ms since the Unix epoch. */
  readonly time: number
}

const VERSION = 1
export const CHALLENGE_NONCE_LENGTH = 32
const MAX_ANSWER = 256

export function encodeChallengeAnswer(answer: ChallengeAnswer): Uint8Array {
  return encodeCanonical([VERSION, answer.nonce, answer.validator, answer.address, answer.time])
}

/** @throws WeftError E_CHALLENGE_MALFORMED */
export function decodeChallengeAnswer(bytes: Uint8Array): ChallengeAnswer {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_ANSWER, refuse), 'answer', 5, refuse)
  const [version, nonce, validator, address, time] = tuple
  integerOf(version, 'version', VERSION, VERSION, refuse)
  if (typeof address !== 'string' || address.length > MAX_CERTIFIED_ADDRESS) throw refuse('address must be short text')
  return {
    nonce: bytesOf(nonce, 'nonce', CHALLENGE_NONCE_LENGTH, refuse),
    validator: bytesOf(validator, 'validator', 32, refuse),
    address,
    time: timeOf(time, 'time', refuse),
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_CHALLENGE_MALFORMED',
    cause: `The answer to a challenge cannot be used: ${why}.`,
    fix: 'The challenged node has to follow docs/specs/admission.md; update the older of the two sides.',
  })
}
