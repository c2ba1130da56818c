import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, listOf, tupleOf } from '../codec/strict-values.ts'
import { MAX_AGREED_VALUE } from '@weft/wire'
import { MAX_EPOCH } from '../network/epoch.ts'
import type { Certificate } from './agreement-message.ts'
import { malformed } from './malformed.ts'
import { MAX_ROUNDS, VALUE_HASH, decodeVote } from './vote.ts'

/** A vote that was cast; `value` is undefined for one for no value. */
export interface CastVote {
  readonly value: Uint8Array | undefined
}

/**
 * What a validator must not forget of an epoch, written before each of its messages leaves: what it said in the round
 * that it is in, and what binds it in later ones. In earlier rounds it never speaks again.
 */
export interface AgreementState {
  readonly epoch: number
  readonly round: number
  readonly proposal: { readonly value: Uint8Array; readonly lockRound: number | undefined } | undefined
  readonly prevote: CastVote | undefined
  readonly precommit: CastVote | undefined
  /** The last precommit for a value: its round and hash (`lockedRound`, `lockedValue` of the paper). */
  readonly locked: { readonly round: number; readonly value: Uint8Array } | undefined
  /** The newest quorum of prevotes (`validRound`, `validValue`). */
  readonly valid: Certificate | undefined
}

const VERSION = 1
const MAX_BYTES = 2 * MAX_AGREED_VALUE + 16 * 1024
const MAX_VALIDATORS = 64

/** dag-cbor: it never leaves the machine, and is read as strictly as if it came from outside. */
export function encodeState(state: AgreementState): Uint8Array {
  const { epoch, round, proposal, prevote, precommit, locked, valid } = state
  return encodeCanonical([
    VERSION,
    epoch,
    round,
    proposal === undefined ? null : [proposal.value, proposal.lockRound ?? null],
    castToCbor(prevote),
    castToCbor(precommit),
    locked === undefined ? null : [locked.round, locked.value],
    valid === undefined ? null : [valid.value, valid.quorum.payload, [...valid.quorum.signatures]],
  ])
}

function castToCbor(vote: CastVote | undefined): unknown {
  return vote === undefined ? null : [vote.value ?? null]
}

/** @throws WeftError E_AGREEMENT_MALFORMED */
export function decodeState(bytes: Uint8Array): AgreementState {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_BYTES, malformed), 'state', 8, malformed)
  const [version, epoch, round, proposal, prevote, precommit, locked, valid] = tuple
  integerOf(version, 'version', VERSION, VERSION, malformed)
  return {
    epoch: integerOf(epoch, 'epoch', 0, MAX_EPOCH, malformed),
    round: roundOf(round, 'round'),
    proposal: proposal === null ? undefined : proposalOf(proposal),
    prevote: castOf(prevote, 'prevote'),
    precommit: castOf(precommit, 'precommit'),
    locked: locked === null ? undefined : lockedOf(locked),
    valid: valid === null ? undefined : validOf(valid),
  }
}

function roundOf(value: unknown, path: string): number {
  return integerOf(value, path, 0, MAX_ROUNDS - 1, malformed)
}

function proposalOf(value: unknown): AgreementState['proposal'] {
  const [bytes, lockRound] = tupleOf(value, 'proposal', 2, malformed)
  return {
    value: blobOf(bytes, 'proposal'),
    lockRound: lockRound === null ? undefined : roundOf(lockRound, 'lockRound'),
  }
}

function castOf(value: unknown, path: string): CastVote | undefined {
  if (value === null) return undefined
  const [hash] = tupleOf(value, path, 1, malformed)
  return { value: hash === null ? undefined : bytesOf(hash, path, VALUE_HASH, malformed) }
}

function lockedOf(value: unknown): AgreementState['locked'] {
  const [round, hash] = tupleOf(value, 'locked', 2, malformed)
  return { round: roundOf(round, 'locked'), value: bytesOf(hash, 'locked', VALUE_HASH, malformed) }
}

function validOf(value: unknown): Certificate {
  const [bytes, payload, signatures] = tupleOf(value, 'valid', 3, malformed)
  const signedBytes = blobOf(payload, 'valid')
  const pairs = listOf(signatures, 'signatures', 1, MAX_VALIDATORS, malformed, (item, path): [number, Uint8Array] => {
    const [voter, signature] = tupleOf(item, path, 2, malformed)
    return [integerOf(voter, path, 0, MAX_VALIDATORS - 1, malformed), bytesOf(signature, path, 64, malformed)]
  })
  const quorum = { vote: decodeVote(signedBytes), payload: signedBytes, signatures: new Map(pairs) }
  return { quorum, value: blobOf(bytes, 'valid') }
}

function blobOf(value: unknown, path: string): Uint8Array {
  if (value instanceof Uint8Array && value.length <= MAX_AGREED_VALUE) return value
  throw malformed(`${path} must be at most ${MAX_AGREED_VALUE} bytes`)
}
