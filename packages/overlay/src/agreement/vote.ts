import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, textOf, tupleOf } from '../codec/strict-values.ts'
import { MAX_EPOCH } from '../network/epoch.ts'
import { NETWORK_ID } from '../network/network-id.ts'
import { malformed } from './malformed.ts'

/** The two votes of a round. */
export type Phase = 'prevote' | 'precommit'

/** What a validator signs in a round (purpose `agreement-vote`; docs/specs/agreement.md, Structures). */
export interface Vote {
  readonly network: string
  readonly epoch: number
  readonly round: number
  readonly phase: Phase
  /** SHA-256 of the value; undefined for a vote for none of this round. */
  readonly value: Uint8Array | undefined
}

/**
 * Rounds that an epoch can have. By their growing timeouts the last ends dozens of epochs behind the begin of its own:
 * what names a further one is no part of any honest run, and need not be remembered.
 */
export const MAX_ROUNDS = 32
/** SHA-256 */
export const VALUE_HASH = 32

const VERSION = 1
const MAX_BYTES = 128
const PHASES: readonly Phase[] = ['prevote', 'precommit']

export function encodeVote({ network, epoch, round, phase, value }: Vote): Uint8Array {
  return encodeCanonical([VERSION, network, epoch, round, PHASES.indexOf(phase), value ?? null])
}

/** @throws WeftError E_AGREEMENT_MALFORMED */
export function decodeVote(bytes: Uint8Array): Vote {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_BYTES, malformed), 'vote', 6, malformed)
  const [version, network, epoch, round, phase, value] = tuple
  integerOf(version, 'version', VERSION, VERSION, malformed)
  return {
    network: textOf(network, 'network', NETWORK_ID, 33, malformed),
    epoch: integerOf(epoch, 'epoch', 0, MAX_EPOCH, malformed),
    round: integerOf(round, 'round', 0, MAX_ROUNDS - 1, malformed),
    phase: PHASES[integerOf(phase, 'phase', 0, PHASES.length - 1, malformed)] as Phase,
    value: value === null ? undefined : bytesOf(value, 'value', VALUE_HASH, malformed),
  }
}
