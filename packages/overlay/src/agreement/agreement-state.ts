import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, listOf, tupleOf } from '../codec/strict-values.ts'
import { MAX_AGREED_VALUE } from '@weft/wire'
import { MAX_EPOCH } from '../network/epoch.ts'
import type { Certificate, SignedVote } from './agreement-message.ts'
import { malformed } from './malformed.ts'
import { MAX_ROUNDS, VALUE_HASH, decodeVote } from './vote.ts'
import { MAX_SEATS } from '../network/quorum.ts'

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
  /**
   * Precommits of the round before, by which this one was entered. Whoever is still there may need them, and who sent
   * them may not send them again.
   */
  readonly entry: readonly SignedVote[]
}

const VERSION = 1
const MAX_BYTES = 2 * MAX_AGREED_VALUE + 32 * 1024

/** dag-cbor: it never leaves the machine, and is read as strictly as if it came from outside. */
export function encodeState(state: AgreementState): Uint8Array {
  const { epoch, round, proposal, prevote, precommit, locked, valid, entry } = state
  return encodeCanonical([
    VERSION,
    epoch,
    round,
    proposal === undefined ? null : [proposal.value, proposal.lockRound ?? null],
    castToCbor(prevote),
    castToCbor(precommit),
    locked === undefined ? null : [locked.round, locked.value],
    valid === undefined ? null : [valid.value, valid.quorum.payload, [...valid.quorum.signatures]],
    entry.map(({ voter, payload, signature }) => [voter, payload, signature]),
  ])
}

function castToCbor(vote: CastVote | undefined): unknown {
  return vote === undefined ? null : [vote.value ?? null]
}

/** @throws WeftError E_AGREEMENT_MALFORMED */
export function decodeState(bytes: Uint8Array): AgreementState {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_BYTES, malformed), 'state', 9, malformed)
  const [version, epoch, round, proposal, prevote, precommit, locked, valid, entry] = tuple
  integerOf(version, 'version', VERSION, VERSION, malformed)
  return {
    epoch: integerOf(epoch, 'epoch', 0, MAX_EPOCH, malformed),
    round: roundOf(round, 'round'),
    proposal: proposal === null ? undefined : proposalOf(proposal),
    prevote: castOf(prevote, 'prevote'),
    precommit: castOf(precommit, 'precommit'),
    locked: locked === null ? undefined : lockedOf(locked),
    valid: valid === null ? undefined : validOf(valid),
    entry: listOf(entry, 'entry', 0, MAX_SEATS, malformed, voteOf),
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
  const pairs = listOf(signatures, 'signatures', 1, MAX_SEATS, malformed, (item, path): [number, Uint8Array] => {
    const [voter, signature] = tupleOf(item, path, 2, malformed)
    return [integerOf(voter, path, 0, MAX_SEATS - 1, malformed), bytesOf(signature, path, 64, malformed)]
  })
  const quorum = { vote: decodeVote(signedBytes), payload: signedBytes, signatures: new Map(pairs) }
  return { quorum, value: blobOf(bytes, 'valid') }
}

function voteOf(value: unknown, path: string): SignedVote {
  const [voter, bytes, signature] = tupleOf(value, path, 3, malformed)
  const payload = blobOf(bytes, path)
  return {
    vote: decodeVote(payload),
    payload,
    voter: integerOf(voter, path, 0, MAX_SEATS - 1, malformed),
    signature: bytesOf(signature, path, 64, malformed),
  }
}

function blobOf(value: unknown, path: string): Uint8Array {
  if (value instanceof Uint8Array && value.length <= MAX_AGREED_VALUE) return value
  throw malformed(`${path} must be at most ${MAX_AGREED_VALUE} bytes`)
}
