import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, textOf, tupleOf } from '../codec/strict-values.ts'
import { MAX_EPOCH } from '../network/epoch.ts'
import { NETWORK_ID } from '../network/network-id.ts'
import { malformed } from './malformed.ts'
import { MAX_ROUNDS, VALUE_HASH } from './vote.ts'

/** What the proposer of a round signs (purpose `agreement-proposal`; docs/specs/agreement.md, Structures). */
export interface Proposal {
  readonly network: string
  readonly epoch: number
  readonly round: number
  /** The earlier round in which a quorum prevoted the value (`validRound` of the paper); undefined for a fresh one. */
  readonly lockRound: number | undefined
  /** SHA-256 of the value. */
  readonly value: Uint8Array
}

const VERSION = 1
const MAX_BYTES = 128

export function encodeProposal({ network, epoch, round, lockRound, value }: Proposal): Uint8Array {
  return encodeCanonical([VERSION, network, epoch, round, lockRound ?? null, value])
}

/** @throws WeftError E_AGREEMENT_MALFORMED */
export function decodeProposal(bytes: Uint8Array): Proposal {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_BYTES, malformed), 'proposal', 6, malformed)
  const [version, network, epoch, round, lockRound, value] = tuple
  integerOf(version, 'version', VERSION, VERSION, malformed)
  const inRound = integerOf(round, 'round', 0, MAX_ROUNDS - 1, malformed)
  return {
    network: textOf(network, 'network', NETWORK_ID, 33, malformed),
    epoch: integerOf(epoch, 'epoch', 0, MAX_EPOCH, malformed),
    round: inRound,
    lockRound: lockRound === null ? undefined : integerOf(lockRound, 'lockRound', 0, inRound - 1, malformed),
    value: bytesOf(value, 'value', VALUE_HASH, malformed),
  }
}
