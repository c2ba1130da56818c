import { type SigningKey, sha256 } from '@weft/crypto'
import type { AgreementMessage, SignedProposal, SignedVote, VoteQuorum } from '../../src/agreement/agreement-message.ts'
import { encodeProposal } from '../../src/agreement/proposal.ts'
import { ValidatorSet } from '../../src/agreement/validator-set.ts'
import { type Phase, encodeVote } from '../../src/agreement/vote.ts'
import { testNetwork } from '../fixtures.ts'

export const fixture = testNetwork(4, 1)
export const set = new ValidatorSet(fixture.network.id, fixture.network.term)
export const EPOCH_NUMBER = 8
export const VALUE = Uint8Array.of(1, 2, 3)

interface VoteOptions {
  readonly epoch?: number
  readonly network?: string
}

export function voteBy(
  voter: number,
  round: number,
  phase: Phase,
  value: Uint8Array | undefined,
  { epoch = EPOCH_NUMBER, network = set.networkId }: VoteOptions = {},
): SignedVote {
  const vote = { network, epoch, round, phase, value: value === undefined ? undefined : sha256(value) }
  const payload = encodeVote(vote)
  return { vote, payload, voter, signature: keyOf(voter).sign('agreement-vote', payload) }
}

export function quorumBy(voters: readonly number[], round: number, phase: Phase, value: Uint8Array): VoteQuorum {
  const votes = voters.map((voter) => voteBy(voter, round, phase, value))
  const [{ vote, payload }] = votes as [SignedVote]
  return { vote, payload, signatures: new Map(votes.map(({ voter, signature }) => [voter, signature])) }
}

export function proposalIn(round: number, value: Uint8Array, lock?: VoteQuorum): SignedProposal {
  const proposer = set.proposer(EPOCH_NUMBER, round)
  const lockRound = lock?.vote.round
  const proposal = { network: set.networkId, epoch: EPOCH_NUMBER, round, lockRound, value: sha256(value) }
  const payload = encodeProposal(proposal)
  const signature = keyOf(proposer).sign('agreement-proposal', payload)
  return { proposal, payload, proposer, signature, value, lock }
}

export function asVote(vote: SignedVote): AgreementMessage {
  return { kind: 'vote', vote }
}

export function keyOf(index: number): SigningKey {
  return fixture.keys[index] as SigningKey
}
