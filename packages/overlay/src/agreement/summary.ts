import type { AgreementPullRequest } from '@weft/wire'
import { MAX_EPOCH } from '../network/epoch.ts'
import { malformed } from './malformed.ts'
import { MAX_ROUNDS } from './vote.ts'

/** What a validator has of the round that it is in, so that others send it what it lacks and nothing else. */
export interface Summary {
  readonly epoch: number
  readonly round: number
  readonly proposal: boolean
  readonly prevotes: ReadonlySet<number>
  readonly precommits: ReadonlySet<number>
  /** The round of the newest quorum of prevotes that it knows. */
  readonly validRound: number | undefined
}

export function summaryToWire(summary: Summary): Omit<AgreementPullRequest, '$typeName'> {
  const { epoch, round, proposal, prevotes, precommits, validRound } = summary
  return {
    epoch: BigInt(epoch),
    round,
    proposal,
    prevotes: toBits(prevotes),
    precommits: toBits(precommits),
    validRounds: validRound === undefined ? 0 : validRound + 1,
  }
}

/** @param validators how many there are @throws WeftError E_AGREEMENT_MALFORMED */
export function summaryOf(wire: Omit<AgreementPullRequest, '$typeName'>, validators: number): Summary {
  const { epoch, round, proposal, prevotes, precommits, validRounds } = wire
  if (epoch > BigInt(MAX_EPOCH) || round >= MAX_ROUNDS || validRounds > MAX_ROUNDS) {
    throw malformed(`a question names epoch ${epoch}, round ${round} and ${validRounds} rounds`)
  }
  return {
    epoch: Number(epoch),
    round,
    proposal,
    prevotes: ofBits(prevotes, validators),
    precommits: ofBits(precommits, validators),
    validRound: validRounds === 0 ? undefined : validRounds - 1,
  }
}

/** Bit i, from the lowest of the first byte, stands for validator i; no zero byte at the end. */
function toBits(members: ReadonlySet<number>): Uint8Array {
  const bits = new Uint8Array(Math.ceil((Math.max(-1, ...members) + 1) / 8))
  for (const member of members) bits[member >> 3] = (bits[member >> 3] ?? 0) | (1 << (member & 7))
  return bits
}

function ofBits(bits: Uint8Array, validators: number): Set<number> {
  if (bits.length > Math.ceil(validators / 8))
    throw malformed(`${bits.length} bytes of bits for ${validators} validators`)
  const members = new Set<number>()
  for (let index = 0; index < validators; index++) {
    if ((((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1) members.add(index)
  }
  return members
}
