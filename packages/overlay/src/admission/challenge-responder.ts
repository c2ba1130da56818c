import { type Clock, WeftError } from '@weft/core'
import { type SigningKey, sealEnvelope, toDidKey } from '@weft/crypto'
import type { ChallengeRequest, SignedEnvelope } from '@weft/wire'
import type { Network } from '../network/network.ts'
import { CHALLENGE_NONCE_LENGTH, encodeChallengeAnswer } from './challenge-answer.ts'

export interface ChallengeResponderInit {
  readonly network: Network
  readonly key: SigningKey
  /** The addresses that this node declared. */
  readonly addresses: readonly string[]
  readonly clock: Clock
}

/**
 * Answers a dial-back. It signs only for a validator of this network and an address that this node declared itself, so
 * that nobody can collect answers for places where the node is not.
 * @throws WeftError E_CHALLENGE_REFUSED
 */
export function answerChallenge(
  { network, key, addresses, clock }: ChallengeResponderInit,
  { nonce, validator, address }: Pick<ChallengeRequest, 'nonce' | 'validator' | 'address'>,
): Omit<SignedEnvelope, '$typeName'> {
  if (nonce.length !== CHALLENGE_NONCE_LENGTH)
    throw refused(`its nonce has ${nonce.length} bytes in place of ${CHALLENGE_NONCE_LENGTH}`)
  if (validator.length !== 32 || !network.isValidator(toDidKey(validator)))
    throw refused('it names no validator of this network')
  if (!addresses.includes(address)) throw refused('it names an address that this node never declared')
  return sealEnvelope('challenge', encodeChallengeAnswer({ nonce, validator, address, time: clock.now() }), key)
}

function refused(why: string): WeftError {
  return new WeftError({
    code: 'E_CHALLENGE_REFUSED',
    cause: `The challenge is not answered: ${why}.`,
    fix: 'Only validators challenge, and only at the addresses that a node declared (docs/specs/admission.md).',
  })
}
