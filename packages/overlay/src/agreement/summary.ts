import type { AgreementPullRequest } from '@weft/wire'
import { ofBits, toBits } from '../codec/bit-set.ts'
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
    prevotes: ofBits(prevotes, validators, malformed),
    precommits: ofBits(precommits, validators, malformed),
    validRound: validRounds === 0 ? undefined : validRounds - 1,
  }
}
