import { WeftError, equalBytes } from '@weft/core'
import { sha256 } from '@weft/crypto'
import type { Certificate, SignedProposal, SignedVote, VoteQuorum } from './agreement-message.ts'
import type { ValidatorSet } from './validator-set.ts'

/** @throws WeftError E_SIGNATURE_INVALID */
export function verifyVote(set: ValidatorSet, { payload, voter, signature }: SignedVote): void {
  if (!set.isSigned('agreement-vote', payload, voter, signature)) throw invalid(`a vote of validator ${voter}`)
}

/** Every one of the signatures has to be valid: an honest sender verified them itself. @throws WeftError E_SIGNATURE_INVALID */
export function verifyQuorum(set: ValidatorSet, { payload, signatures }: VoteQuorum): void {
  for (const [voter, signature] of signatures) {
    if (!set.isSigned('agreement-vote', payload, voter, signature)) {
      throw invalid(`a quorum's vote of validator ${voter}`)
    }
  }
}

/** Whether what a file gave back is a quorum of prevotes: a disk is no more to be believed than the wire. */
export function isPolka(set: ValidatorSet, ofEpoch: number, { quorum, value }: Certificate): boolean {
  const { network, epoch, phase, value: hash } = quorum.vote
  if (network !== set.networkId || epoch !== ofEpoch || phase !== 'prevote' || hash === undefined) return false
  if (!equalBytes(hash, sha256(value)) || quorum.signatures.size < set.quorum) return false
  try {
    verifyQuorum(set, quorum)
    return true
  } catch {
    return false
  }
}

/** The proposer's own signature. @throws WeftError E_SIGNATURE_INVALID */
export function verifyProposal(set: ValidatorSet, { payload, proposer, signature }: SignedProposal): void {
  if (!set.isSigned('agreement-proposal', payload, proposer, signature)) {
    throw invalid(`a proposal of validator ${proposer}`)
  }
}

function invalid(what: string): WeftError {
  return new WeftError({
    code: 'E_SIGNATURE_INVALID',
    cause: `The signature of ${what} is not valid.`,
    fix: 'Nothing to do: the message is dropped. If it goes on, look at the log of its sender.',
  })
}
