import type { Proposal } from './proposal.ts'
import type { Vote } from './vote.ts'

/** A vote with its signature; verified only where it says so. Validators are named by their place in the set. */
export interface SignedVote {
  readonly vote: Vote
  /** The bytes that were signed, as they arrived. */
  readonly payload: Uint8Array
  readonly voter: number
  /** 64 bytes, Ed25519. */
  readonly signature: Uint8Array
}

/** One vote, signed by many. */
export interface VoteQuorum {
  readonly vote: Vote
  readonly payload: Uint8Array
  /** By validator. */
  readonly signatures: ReadonlyMap<number, Uint8Array>
}

export interface SignedProposal {
  readonly proposal: Proposal
  readonly payload: Uint8Array
  readonly proposer: number
  readonly signature: Uint8Array
  readonly value: Uint8Array
  /** The prevotes of `lockRound`; there exactly when that is. */
  readonly lock: VoteQuorum | undefined
}

/** A value with the quorum behind it: of prevotes what may be locked, of precommits the decision. */
export interface Certificate {
  readonly quorum: VoteQuorum
  readonly value: Uint8Array
}

export type AgreementMessage =
  | { readonly kind: 'proposal'; readonly proposal: SignedProposal }
  | { readonly kind: 'vote'; readonly vote: SignedVote }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }

/** The epoch that a message is of. */
export function epochOf(message: AgreementMessage): number {
  switch (message.kind) {
    case 'proposal':
      return message.proposal.proposal.epoch
    case 'vote':
      return message.vote.vote.epoch
    case 'certificate':
      return message.certificate.quorum.vote.epoch
  }
}
