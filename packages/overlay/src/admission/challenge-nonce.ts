import type { Random } from '@weft/core'
import { equalConstantTime, sha256 } from '@weft/crypto'
import { encodeCanonical } from '../codec/canonical-cbor.ts'
import { CHALLENGE_NONCE_LENGTH } from './challenge-answer.ts'

/** Bytes that nobody can know before; as many behind them show for which application they were drawn. */
const DRAWN = 16

/**
 * A nonce by which an applicant knows a challenge of the validator that it sent an application with this nonce to, though
 * a stranger puts it (docs/specs/admission.md, Structures). Each is another.
 */
export function challengeNonce(random: Random, application: Uint8Array): Uint8Array {
  const drawn = random.bytes(DRAWN)
  const nonce = new Uint8Array(CHALLENGE_NONCE_LENGTH)
  nonce.set(drawn)
  nonce.set(proofOf(drawn, application), DRAWN)
  return nonce
}

/** Whether whoever drew a nonce knew the nonce of that application. */
export function isChallengeOf(nonce: Uint8Array, application: Uint8Array): boolean {
  if (nonce.length !== CHALLENGE_NONCE_LENGTH) return false
  return equalConstantTime(nonce.subarray(DRAWN), proofOf(nonce.subarray(0, DRAWN), application))
}

function proofOf(drawn: Uint8Array, application: Uint8Array): Uint8Array {
  return sha256(encodeCanonical(['challenge', application, drawn])).subarray(0, CHALLENGE_NONCE_LENGTH - DRAWN)
}
